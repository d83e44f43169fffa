import { DtmOutcomeUnknown, DtmRefused, DtmUnavailable } from '../errors.js';
import type { CallFailure } from '../server/call-failure.js';
import type { DtmRequest } from '../server/dtm-request.js';
import type { DtmServer } from '../server/dtm-server.js';
import { GrpcStatus } from '../server/grpc-status.js';
import { refusalText, type Transaction } from '../server/transaction.js';
import { type Budget, backOff } from './budget.js';
import { hopeless } from './judge-failure.js';
import { ACKNOWLEDGED, assertSameKind, awaitFinal, lookUpAfter } from './stored.js';

/** How to submit. */
export interface SubmitOptions {
  /**
   * The caller knows that this gid was never submitted: no query is made before, and a submit that goes well is exactly one
   * call. A repeat must not set it: DTM 1.18 runs all branches of a running gid again.
   *
   * Without `waitResult`, a submit that DTM acknowledged while its store was away is taken for one that went well: DTM runs its actions
   * once and keeps nothing. Who cannot bear that looks for the gid afterwards, as a relay does, or does not set it.
   */
  fresh?: boolean;
  /** Wait until the transaction is final, or DTM's window of about 5 s is over. */
  waitResult?: boolean;
}

/** What became of a submitted transaction, as far as known when the call returned. */
export interface SubmitResult {
  /** Id of the transaction. */
  gid: string;
  /**
   * `submitted`: stored, not final yet, may still end either way. `succeed`: all actions took effect. `aborting`: refused,
   * its compensations are not complete yet. `failed`: refused, everything compensated.
   */
  status: 'submitted' | 'succeed' | 'aborting' | 'failed';
  /** The refusing branch's words (or DTM's, for a timeout) when aborting or failed. */
  reason?: string;
}

/** One transaction on its way to a server. */
export interface Submission {
  server: DtmServer;
  request: DtmRequest;
  options: SubmitOptions;
  /** All of its calls together. */
  budget: Budget;
}

/**
 * Submits until DTM has the transaction, and tells the truth about it: DTM's answer is believed only where it cannot mislead
 * (OK), every other answer is checked against what the server has stored.
 *
 * It is submitted again only after a query that succeeded said that DTM does not have it. Another submit of the same gid may be under way
 * elsewhere all the same; then DTM runs the branches twice and their barriers make the second run harmless.
 */
export async function submit({ server, request, options, budget }: Submission): Promise<SubmitResult> {
  const { gid, transType } = request;
  if (!options.fresh) {
    const known = await server.query(gid, budget.left());
    if (known) {
      assertSubmittable(transType, known);
      return result(options.waitResult ? await awaitFinal(server, known, budget) : known);
    }
  }
  let maybeReceived = false;
  for (let attempt = 0; ; attempt++) {
    const failure = await server.transaction('submit', request, budget.share());
    if (!failure && options.waitResult) return { gid, status: 'succeed' };
    if (!failure && options.fresh) return { gid, status: 'submitted' };
    maybeReceived ||= failure?.maybeReceived ?? true;
    // DTM 1.18 acknowledges a submit although its store failed, so look whether it is there.
    const stored = await lookUpAfter(failure ?? ACKNOWLEDGED, server, gid, budget);
    if (stored) return result(assertSubmittable(transType, stored), failure ?? undefined);
    const error = failure && stored === null ? hopeless(gid, failure) : undefined;
    if (error) throw error;
    if (stored === undefined || budget.spent) throw giveUp(gid, maybeReceived, failure ?? ACKNOWLEDGED);
    await backOff(attempt, budget);
  }
}

/** What a stored transaction amounts to; `failure` is what DTM answered to the submit. */
export function result(transaction: Transaction, failure?: CallFailure): SubmitResult {
  const { gid, rollbackReason } = transaction;
  switch (transaction.status) {
    case 'prepared':
    case 'submitted':
      return { gid, status: 'submitted' };
    case 'succeed':
      return { gid, status: 'succeed' };
    default: {
      // DTM stores the reason in the same step as the status; its own answer is only a fallback for a store that lost it.
      const reason = refusalText(rollbackReason || (failure?.code === GrpcStatus.ABORTED ? failure.text : ''));
      return { gid, status: transaction.status, reason };
    }
  }
}

/** A transaction that waits for its local step is another caller's, who alone may submit it. */
function assertSubmittable(transType: string, stored: Transaction): Transaction {
  assertSameKind(transType, stored);
  if (stored.status !== 'prepared') return stored;
  throw new DtmRefused('the gid belongs to a transaction that is prepared and not submitted', { gid: stored.gid });
}

/** The error of a submit that never came to an answer. */
export function giveUp(gid: string, maybeReceived: boolean, failure: CallFailure): DtmOutcomeUnknown | DtmUnavailable {
  const { text, error: cause } = failure;
  return maybeReceived
    ? new DtmOutcomeUnknown(`DTM did not tell what became of the submit: ${text}`, { gid, cause })
    : new DtmUnavailable(`DTM cannot be reached: ${text}`, { gid, cause });
}
