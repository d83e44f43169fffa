import { Client, credentials, Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { Signer } from '../../src/index.js';
import { signature } from './bank.js';

/** Who a call says it is. Default: the action of branch 01 of a saga, rightly signed. */
export interface Identity {
  gid: string;
  op?: string;
  branchId?: string;
  transType?: string;
  /** `''` leaves it out. */
  signature?: string;
}

/** The identity of a back-check. */
export function backCheckOf(gid: string): Identity {
  return { gid, op: 'msg', branchId: '00', transType: 'msg' };
}

const signer = new Signer(signature);

/** Calls any method or address as DTM would. Answers are numbers: gRPC status, or HTTP status. */
export class RawCaller {
  readonly #client: Client;

  constructor(private readonly service: { grpcAddress: string; http: string }) {
    this.#client = new Client(service.grpcAddress, credentials.createInsecure());
  }

  grpc<Request>(
    method: MethodDefinition<Request, object>,
    who: Identity,
    payload: Request,
    deadlineMs = 20_000,
  ): Promise<{ status: number; text: string }> {
    const metadata = new Metadata();
    const { dtmSignature, ...identity } = identityOf(who);
    for (const [key, value] of Object.entries(identity)) if (value) metadata.set(`dtm-${key}`, value);
    if (dtmSignature) metadata.set('dtm-signature', dtmSignature);
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        payload,
        metadata,
        { deadline: Date.now() + deadlineMs },
        (error: ServiceError | null) => resolve({ status: error?.code ?? 0, text: error?.details ?? '' }),
      );
    });
  }

  /** GET without a payload, else POST, as DTM does it. */
  async http(path: string, who: Identity, payload?: object): Promise<{ status: number; text: string }> {
    const url = new URL(path, this.service.http);
    const { dtmSignature, ...identity } = identityOf(who);
    for (const [key, value] of Object.entries(identity)) if (value) url.searchParams.set(key, value);
    const response = await fetch(url, {
      method: payload ? 'POST' : 'GET',
      headers: {
        ...(payload && { 'content-type': 'application/json' }),
        ...(dtmSignature && { 'dtm-signature': dtmSignature }),
      },
      ...(payload && { body: JSON.stringify(payload) }),
    });
    return { status: response.status, text: await response.text() };
  }

  close(): void {
    this.#client.close();
  }
}

function identityOf({ gid, op = 'action', branchId = '01', transType = 'saga', signature: given }: Identity) {
  return { gid, op, branch_id: branchId, trans_type: transType, dtmSignature: given ?? signer.sign(gid) };
}
