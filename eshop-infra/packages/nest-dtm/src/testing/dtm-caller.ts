import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { SIGNATURE_HEADER, Signer } from '../branch/signature.js';
import type { SignatureOptions } from '../dtm-options.js';
import type { GrpcBranchMethod } from '../transaction/branch-method.js';

/** What a call says it is. Default: the action of branch 01 of a saga, rightly signed. */
export interface DtmCall {
  /** Id of the transaction. */
  gid: string;
  /** Default `action`. `''` leaves it out, as with the others, for calls that DTM never makes. */
  op?: string;
  /** Default `01`. */
  branchId?: string;
  /** Default `saga`. */
  transType?: string;
  /** Default: the right one, made with the first key. */
  signature?: string;
}

/** A service under test. */
export interface DtmCallerOptions {
  /** As the service has it; the first key signs. */
  signature: SignatureOptions | false;
  /** `host:port` of its gRPC listener; needed for {@link DtmCaller.grpc}. */
  grpcAddress?: string;
  /** `http://host:port`; needed for {@link DtmCaller.http}. */
  http?: string;
}

/** A branch's answer as DTM sees it. */
export interface DtmCallAnswer {
  /** gRPC status or HTTP status. */
  status: number;
  /** The status's details, or the body. */
  text: string;
}

/** The call by which DTM asks a back-check. */
export function backCheckOf(gid: string): DtmCall {
  return { gid, op: 'msg', branchId: '00', transType: 'msg' };
}

const asBytes = (bytes: Buffer): Buffer => bytes;

/** Calls a service's branches as DTM would. */
export class DtmCaller {
  readonly #signer: Signer | undefined;
  #client: Client | undefined;

  constructor(private readonly options: DtmCallerOptions) {
    this.#signer = options.signature ? new Signer(options.signature) : undefined;
  }

  /** gRPC metadata of a call, for a client of the service's own. */
  metadata(call: DtmCall): Record<string, string> {
    const entries = Object.entries(identity(call)).map(([key, value]) => [`dtm-${key}`, value] as const);
    return present([...entries, [SIGNATURE_HEADER, this.#sign(call)]]);
  }

  /** Calls a method over gRPC. `deadlineMs`: DTM's own is 3000. */
  grpc<Request>(
    method: GrpcBranchMethod<Request>,
    call: DtmCall,
    payload: Request,
    deadlineMs = 20_000,
  ): Promise<DtmCallAnswer> {
    if (this.options.grpcAddress === undefined) throw new Error('the caller was made without a grpcAddress');
    this.#client ??= new Client(this.options.grpcAddress, credentials.createInsecure());
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(this.metadata(call))) metadata.set(key, value);
    const { promise, resolve } = Promise.withResolvers<DtmCallAnswer>();
    this.#client.makeUnaryRequest(
      method.path,
      asBytes,
      asBytes,
      Buffer.from(method.requestSerialize(payload)),
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error: ServiceError | null) => resolve({ status: error?.code ?? 0, text: error?.details ?? '' }),
    );
    return promise;
  }

  /** Calls a path over HTTP: GET without a payload, else POST, as DTM does it. */
  async http(path: string, call: DtmCall, payload?: object): Promise<DtmCallAnswer> {
    const url = new URL(path, this.options.http);
    for (const [key, value] of Object.entries(present(Object.entries(identity(call)))))
      url.searchParams.set(key, value);
    const response = await fetch(url, {
      method: payload ? 'POST' : 'GET',
      headers: present([
        [SIGNATURE_HEADER, this.#sign(call)],
        ['content-type', payload ? 'application/json' : ''],
      ]),
      ...(payload && { body: JSON.stringify(payload) }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** Closes its connections. */
  close(): void {
    this.#client?.close();
  }

  #sign({ gid, signature }: DtmCall): string {
    return signature ?? this.#signer?.sign(gid) ?? '';
  }
}

/** By the names they have over HTTP; over gRPC `dtm-` stands before each. */
function identity({ gid, op = 'action', branchId = '01', transType = 'saga' }: DtmCall): Record<string, string> {
  return { gid, op, branch_id: branchId, trans_type: transType };
}

function present(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}
