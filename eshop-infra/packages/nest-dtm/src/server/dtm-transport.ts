import type { CallFailure } from './call-failure.js';
import type { DtmBranchRequest, DtmRequest } from './dtm-request.js';

/** The calls of DTM that change a transaction. */
export type TransactionCall = 'prepare' | 'submit' | 'abort';

/** A protocol DTM is told about transactions by. A call resolves with `null` when DTM acknowledged it. */
export interface DtmTransport {
  transaction(call: TransactionCall, request: DtmRequest, deadlineMs: number): Promise<CallFailure | null>;
  registerBranch(request: DtmBranchRequest, deadlineMs: number): Promise<CallFailure | null>;
  close(): void;
}
