import { DtmRefused, DtmUnavailable } from '../errors.js';
import type { DtmServer } from '../server/dtm-server.js';
import type { Transaction } from '../server/transaction.js';
import { type Budget, POLL_MS, pause } from './budget.js';

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
