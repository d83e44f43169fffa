import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { Signer } from '../../src/index.js';
import { Bank, type BankApp, signature, type Transfer } from './bank.js';
import { until } from './until.js';

/** One branch call as DTM would make it. */
export interface Call {
  gid: string;
  op?: string;
  branchId?: string;
  transType?: string;
  /** Default: the right one. `''` leaves it out. */
  signature?: string;
  transfer: Transfer;
  /** Of a gRPC call, milliseconds. Default 20 s. */
  deadlineMs?: number;
}

const CALL_AGAIN = { grpc: 14, http: 503 };

/** Calls branches directly, in DTM's place. Answers are numbers: gRPC status, or HTTP status. */
export class BranchCaller {
  readonly #client: Client;
  readonly #signer = new Signer(signature);

  constructor(private readonly bank: BankApp) {
    this.#client = new Client(bank.grpcAddress, credentials.createInsecure());
  }

  grpc(call: Call): Promise<{ status: number; text: string }> {
    const metadata = new Metadata();
    const entries = {
      'dtm-gid': call.gid,
      'dtm-trans_type': call.transType ?? 'saga',
      'dtm-branch_id': call.branchId ?? '01',
      'dtm-op': call.op ?? 'action',
    };
    for (const [key, value] of Object.entries(entries)) if (value) metadata.set(key, value);
    const sign = call.signature ?? this.#signer.sign(call.gid);
    if (sign) metadata.set('dtm-signature', sign);
    const { path, requestSerialize, responseDeserialize } =
      call.op === 'compensate' ? Bank.withdrawRevert : Bank.withdraw;
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        call.transfer,
        metadata,
        { deadline: Date.now() + (call.deadlineMs ?? 20_000) },
        (error: ServiceError | null) => resolve({ status: error?.code ?? 0, text: error?.details ?? '' }),
      );
    });
  }

  async http(call: Call): Promise<{ status: number; text: string }> {
    const url = new URL(call.op === 'compensate' ? '/withdrawRevert' : '/withdraw', this.bank.http);
    const entries = {
      gid: call.gid,
      trans_type: call.transType ?? 'saga',
      branch_id: call.branchId ?? '01',
      op: call.op ?? 'action',
    };
    for (const [key, value] of Object.entries(entries)) if (value) url.searchParams.set(key, value);
    const sign = call.signature ?? this.#signer.sign(call.gid);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(sign && { 'dtm-signature': sign }) },
      body: JSON.stringify(call.transfer),
    });
    return { status: response.status, text: await response.text() };
  }

  /** Calls as DTM does: again for as long as the answer is to call again, which a busy machine alone can cause. */
  persistently(transport: 'grpc' | 'http', call: Call): Promise<{ status: number; text: string }> {
    return until('an answer other than "call again"', async () => {
      const answer = await this[transport](call);
      return answer.status !== CALL_AGAIN[transport] && answer;
    });
  }

  close(): void {
    this.#client.close();
  }
}
