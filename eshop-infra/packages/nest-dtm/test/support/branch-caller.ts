import { type DtmCall, type DtmCallAnswer, DtmCaller } from '../../src/testing/index.js';
import { Bank, type BankApp, signature, type Transfer } from './bank.js';
import { until } from './until.js';

/** One branch call of the bank. */
export interface Call extends DtmCall {
  transfer: Transfer;
  /** Of a gRPC call, milliseconds. Default 20 s. */
  deadlineMs?: number;
}

const CALL_AGAIN = { grpc: 14, http: 503 };

/** Calls the bank's branches directly, in DTM's place. */
export class BranchCaller {
  readonly #caller: DtmCaller;

  constructor({ grpcAddress, http }: Pick<BankApp, 'grpcAddress' | 'http'>) {
    this.#caller = new DtmCaller({ signature, grpcAddress, http });
  }

  grpc(call: Call): Promise<DtmCallAnswer> {
    const method = call.op === 'compensate' ? Bank.withdrawRevert : Bank.withdraw;
    return this.#caller.grpc(method, call, call.transfer, call.deadlineMs);
  }

  http(call: Call): Promise<DtmCallAnswer> {
    return this.#caller.http(call.op === 'compensate' ? '/withdrawRevert' : '/withdraw', call, call.transfer);
  }

  /** Calls as DTM does: again for as long as the answer is to call again, which a busy machine alone can cause. */
  persistently(transport: 'grpc' | 'http', call: Call): Promise<DtmCallAnswer> {
    return until('an answer other than "call again"', async () => {
      const answer = await this[transport](call);
      return answer.status !== CALL_AGAIN[transport] && answer;
    });
  }

  close(): void {
    this.#caller.close();
  }
}
