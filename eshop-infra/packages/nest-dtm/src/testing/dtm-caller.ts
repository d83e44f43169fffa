import type { Client, ServiceError } from '@grpc/grpc-js';
import { SIGNATURE_HEADER, Signer } from '../branch/signature.js';
import { calledMethod, SIGNATURE_PARAM, type SignedCall } from '../branch/signed-call.js';
import type { SignatureOptions } from '../dtm-options.js';
import { grpcJs } from '../server/grpc-js.js';
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

  /**
   * gRPC metadata of a call. A signature is for one method and payload: without them there is none but one that `call` names, and
   * {@link signing} adds the right one.
   */
  metadata<Request>(call: DtmCall, method?: GrpcBranchMethod<Request>, payload?: Request): Record<string, string> {
    const entries = Object.entries(identity(call)).map(([key, value]) => [`dtm-${key}`, value] as const);
    const signature = method && payload !== undefined ? this.#signGrpc(method, call, payload) : call.signature;
    return present([...entries, [SIGNATURE_HEADER, signature ?? '']]);
  }

  /**
   * A client of the service's own whose calls are signed like DTM's where their metadata is that of a branch call, as
   * {@link metadata} makes it. `client` has a method for each of `methods`, which takes the message and `{ metadata }`.
   */
  signing<Api extends object>(client: Api, methods: Readonly<Record<string, GrpcBranchMethod<never>>>): Api {
    const signed = Object.entries(methods).map(([name, method]) => {
      const call: unknown = Reflect.get(client, name);
      if (typeof call !== 'function') return [name, call];
      const send = (message: unknown, options?: { metadata?: Record<string, string> }): unknown =>
        call.call(client, message, this.#signedOptions(method as GrpcBranchMethod<unknown>, message, options));
      return [name, send];
    });
    return Object.assign(Object.create(client), Object.fromEntries(signed));
  }

  /** Calls a method over gRPC. `deadlineMs`: DTM's own is 3000. */
  grpc<Request>(
    method: GrpcBranchMethod<Request>,
    call: DtmCall,
    payload: Request,
    deadlineMs = 20_000,
  ): Promise<DtmCallAnswer> {
    if (this.options.grpcAddress === undefined) throw new Error('the caller was made without a grpcAddress');
    const { Client, credentials, Metadata } = grpcJs('grpcAddress');
    this.#client ??= new Client(this.options.grpcAddress, credentials.createInsecure());
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(this.metadata(call, method, payload))) metadata.set(key, value);
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
    const body = payload ? JSON.stringify(payload) : '';
    const signature =
      call.signature ?? this.#sign(call, { transport: 'http', method: calledMethod(url.href), payload: body });
    for (const [key, value] of Object.entries(present(Object.entries(identity(call)))))
      url.searchParams.set(key, value);
    // As it stands in the URL that DTM was given.
    if (call.transType === 'tcc' && call.op !== 'try') url.searchParams.set(SIGNATURE_PARAM, signature);
    const response = await fetch(url, {
      method: payload ? 'POST' : 'GET',
      headers: present([
        [SIGNATURE_HEADER, signature],
        ['content-type', payload ? 'application/json' : ''],
      ]),
      ...(payload && { body }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** Closes its connections. */
  close(): void {
    this.#client?.close();
  }

  #signGrpc<Request>(method: GrpcBranchMethod<Request>, call: DtmCall, payload: Request): string {
    if (call.signature !== undefined) return call.signature;
    const bytes = method.requestSerialize(payload);
    return this.#sign(call, { transport: 'grpc', method: method.path, payload: bytes });
  }

  #sign(call: DtmCall, how: Pick<SignedCall, 'transport' | 'method' | 'payload'>): string {
    const { gid, op = '', branch_id: branchId = '', trans_type: transType = '' } = identity(call);
    return this.#signer?.sign({ ...how, gid: gid ?? '', op, branchId, transType, headers: '' }) ?? '';
  }

  #signedOptions<Options extends { metadata?: Record<string, string> }>(
    method: GrpcBranchMethod<unknown>,
    message: unknown,
    options: Options | undefined,
  ): Options | undefined {
    const metadata = options?.metadata;
    const gid = metadata?.['dtm-gid'];
    if (!options || !metadata || gid === undefined || SIGNATURE_HEADER in metadata) return options;
    const call = {
      gid,
      op: metadata['dtm-op'] ?? '',
      branchId: metadata['dtm-branch_id'] ?? '',
      transType: metadata['dtm-trans_type'] ?? '',
    };
    return { ...options, metadata: { ...metadata, ...this.metadata(call, method, message) } };
  }
}

/** By the names they have over HTTP; over gRPC `dtm-` stands before each. */
function identity({ gid, op = 'action', branchId = '01', transType = 'saga' }: DtmCall): Record<string, string> {
  return { gid, op, branch_id: branchId, trans_type: transType };
}

function present(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}
