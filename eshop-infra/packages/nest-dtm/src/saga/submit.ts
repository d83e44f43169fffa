import { status } from '@grpc/grpc-js';
import { DtmOutcomeUnknown, DtmProtocolError, DtmRefused, DtmUnavailable } from '../errors.js';
import type { CallFailure, DtmServer } from '../server/dtm-server.js';
import { refusalText, type Transaction } from '../server/transaction.js';

/** How to submit. */
export interface SubmitOptions {
  /**
   * The caller knows that this gid was never submitted: no query is made before, and a submit that goes well is exactly one
   * call. A repeat must not set it: DTM 1.18 runs all branches of a running gid again.
   */
  fresh?: boolean;
  /** Wait until the transaction is final, or DTM's window of about 5 s is over. */
  waitResult?: boolean;
}

/** What became of a submitted transaction, as far as known when the call returned. */
export interface SubmitResult {
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
  gid: string;
  transType: string;
  /** Serialized `dtmgimp.DtmRequest`. */
  request: Buffer;
  options: SubmitOptions;
}

/** DTM's own window for `wait_result`: RequestTimeout + 2 s. */
const WAIT_WINDOW_MS = 5_000;
const POLL_MS = 100;

/**
 * Submits until DTM has the transaction, and tells the truth about it: DTM's answer is believed only where it cannot mislead
 * (OK), every other answer is checked against what the server has stored.
 *
 * Another submit of the same gid may be under way elsewhere; then DTM runs the branches twice and their barriers make the
 * second run harmless.
 */
export async function submit(submission: Submission): Promise<SubmitResult> {
  const { server, gid, options } = submission;
  const budget = new Budget(options.waitResult ? server.waitDeadlineMs : server.deadlineMs);
  if (!options.fresh) {
    const known = await server.query(gid, budget.left());
    if (known) return settled(submission, known, budget);
  }
  let maybeReceived = false;
  for (;;) {
    const failure = await server.submit(submission.request, budget.share());
    if (!failure) {
      if (options.waitResult) return { gid, status: 'succeed' };
      if (options.fresh) return { gid, status: 'submitted' };
      // DTM 1.18 acknowledges a submit although its store failed, so look whether it is there.
      const stored = await lookUp(submission, budget);
      if (stored) return result(stored);
      if (stored === null && budget.left() > POLL_MS) {
        await pause(POLL_MS);
        continue;
      }
      throw new DtmOutcomeUnknown('DTM acknowledged the transaction, but it is not in its store', { gid });
    }
    maybeReceived ||= failure.maybeReceived;
    const stored = await lookUp(submission, budget);
    if (stored) return result(assertSameKind(submission, stored), failure);
    if (isRejection(failure))
      throw new DtmRefused(`DTM rejected the transaction: ${failure.text}`, { gid, cause: failure.error });
    if (isStrange(failure)) {
      throw new DtmProtocolError(`DTM answered ${status[failure.code] ?? failure.code}: ${failure.text}`, {
        gid,
        cause: failure.error,
      });
    }
    if (budget.left() <= POLL_MS || (stored === undefined && !maybeReceived)) throw giveUp(gid, maybeReceived, failure);
    await pause(POLL_MS);
  }
}

/** `undefined` when the server did not say. Keeps asking while the outcome depends on it and time is left. */
async function lookUp(submission: Submission, budget: Budget): Promise<Transaction | null | undefined> {
  try {
    return await submission.server.query(submission.gid, budget.left());
  } catch (error) {
    if (error instanceof DtmUnavailable) return undefined;
    throw error;
  }
}

/** The answer for a gid the server already has. */
async function settled(submission: Submission, known: Transaction, budget: Budget): Promise<SubmitResult> {
  let transaction = assertSameKind(submission, known);
  const until = Math.min(WAIT_WINDOW_MS, budget.left() - POLL_MS);
  const started = performance.now();
  while (submission.options.waitResult && !isFinal(transaction) && performance.now() - started < until) {
    await pause(POLL_MS);
    transaction = (await lookUp(submission, budget)) ?? transaction;
  }
  return result(transaction);
}

function assertSameKind(submission: Submission, stored: Transaction): Transaction {
  if (stored.transType === submission.transType) return stored;
  const { gid, transType } = submission;
  throw new DtmRefused(`the gid belongs to a transaction of type ${stored.transType}, not ${transType}`, { gid });
}

function result(transaction: Transaction, failure?: CallFailure): SubmitResult {
  const { gid, rollbackReason } = transaction;
  switch (transaction.status) {
    case 'prepared':
    case 'submitted':
      return { gid, status: 'submitted' };
    case 'succeed':
      return { gid, status: 'succeed' };
    default: {
      // DTM stores the reason in the same step as the status; its own answer is only a fallback for a store that lost it.
      const reason = refusalText(rollbackReason || (failure?.code === status.ABORTED ? failure.text : ''));
      return { gid, status: transaction.status, reason };
    }
  }
}

function isFinal(transaction: Transaction): boolean {
  return transaction.status === 'succeed' || transaction.status === 'failed';
}

/** DTM panics (INTERNAL) on content it cannot store or read, before anything runs; too large a request is RESOURCE_EXHAUSTED. */
function isRejection(failure: CallFailure): boolean {
  return (
    (failure.code === status.INTERNAL && !/RST_STREAM/.test(failure.text)) || failure.code === status.RESOURCE_EXHAUSTED
  );
}

function isStrange(failure: CallFailure): boolean {
  return ![
    status.UNAVAILABLE,
    status.DEADLINE_EXCEEDED,
    status.UNKNOWN,
    status.INTERNAL,
    status.CANCELLED,
    status.ABORTED,
  ].includes(failure.code);
}

function giveUp(gid: string, maybeReceived: boolean, failure: CallFailure): Error {
  return maybeReceived
    ? new DtmOutcomeUnknown(`DTM did not tell what became of the submit: ${failure.text}`, {
        gid,
        cause: failure.error,
      })
    : new DtmUnavailable(`DTM cannot be reached: ${failure.text}`, { gid, cause: failure.error });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The time one submit may take, all its calls together. */
class Budget {
  readonly #end: number;

  constructor(ms: number) {
    this.#end = performance.now() + ms;
  }

  /** Milliseconds left, at least 1. */
  left(): number {
    return Math.max(1, Math.ceil(this.#end - performance.now()));
  }

  /** For a call whose loss must leave time for a query. */
  share(): number {
    const left = this.left();
    return Math.max(1, left - Math.min(1_500, Math.ceil(left * 0.4)));
  }
}
