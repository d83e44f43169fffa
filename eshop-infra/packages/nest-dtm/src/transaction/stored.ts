import { DtmRefused, DtmUnavailable } from '../errors.js';
import type { CallFailure } from '../server/call-failure.js';
import type { DtmServer } from '../server/dtm-server.js';
import { GrpcStatus } from '../server/grpc-status.js';
import type { Transaction } from '../server/transaction.js';
import { type Budget, backOff, POLL_MS, pause } from './budget.js';

/** DTM's own window for `wait_result`: RequestTimeout + 2 s. */
const WAIT_WINDOW_MS = 5_000;

/** What the server has stored; `undefined` when it did not say. */
export async function lookUp(server: DtmServer, gid: string, budget: Budget): Promise<Transaction | null | undefined> {
  try {
    return await server.query(gid, budget.left());
  } catch (error) {
    if (error instanceof DtmUnavailable) return undefined;
    throw error;
  }
}

/** Of a submit that DTM acknowledged, as it does also with its store away: it runs the branches once then and keeps nothing. */
export const ACKNOWLEDGED: CallFailure = {
  code: GrpcStatus.UNKNOWN,
  text: 'it acknowledged the transaction, which its store did not show',
  maybeReceived: true,
};

/**
 * What the server has stored after a call that failed; `undefined` when no query succeeded in time. A query that fails says nothing, so
 * it is made again until one answers: **nothing may be sent a second time unless it did.** DTM with its store away carries out what
 * it is given without storing it, and so would start again what has been rolled back.
 */
export async function lookUpAfter(
  { maybeReceived }: Pick<CallFailure, 'maybeReceived'>,
  server: DtmServer,
  gid: string,
  budget: Budget,
): Promise<Transaction | null | undefined> {
  for (let attempt = 0; ; attempt++) {
    const stored = await lookUp(server, gid, budget);
    // What was never sent is not waited for: who could not be reached by the call will not be by the query.
    if (stored !== undefined || budget.spent || !maybeReceived) return stored;
    await backOff(attempt, budget);
  }
}

/** Whether the server answered: its work on the call is over. A call that was given up it may still be about to carry out. */
export function wasAnswered({ code, maybeReceived }: CallFailure): boolean {
  return !maybeReceived || !UNANSWERED.includes(code);
}

const UNANSWERED: readonly number[] = [GrpcStatus.DEADLINE_EXCEEDED, GrpcStatus.UNAVAILABLE, GrpcStatus.CANCELLED];

/** Throws when the gid is another kind of transaction's. */
export function assertSameKind(transType: string, stored: Transaction): Transaction {
  if (stored.transType === transType) return stored;
  const { gid } = stored;
  throw new DtmRefused(`the gid belongs to a transaction of type ${stored.transType}, not ${transType}`, { gid });
}

/** Waits until a transaction under way is final, as long as DTM itself would. */
export async function awaitFinal(server: DtmServer, stored: Transaction, budget: Budget): Promise<Transaction> {
  let transaction = stored;
  const until = Math.min(WAIT_WINDOW_MS, budget.left() - POLL_MS);
  const started = performance.now();
  while (!isFinal(transaction) && performance.now() - started < until) {
    await pause();
    transaction = (await lookUp(server, transaction.gid, budget)) ?? transaction;
  }
  return transaction;
}

function isFinal(transaction: Transaction): boolean {
  return transaction.status === 'succeed' || transaction.status === 'failed';
}
