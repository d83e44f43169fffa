import { DtmUnavailable } from '../errors.js';
import type { DtmRequest } from '../server/dtm-request.js';
import type { DtmServer } from '../server/dtm-server.js';
import type { Transaction } from '../server/transaction.js';
import { Budget, pause } from './budget.js';
import { hopeless } from './judge-failure.js';
import { assertSameKind, lookUp } from './stored.js';

/**
 * Makes a transaction known without starting it. Returns `null` when it is prepared (now or before), else what the server has:
 * a transaction that has gone further.
 *
 * @throws {DtmUnavailable} it is not known to be prepared; nothing runs
 * @throws {DtmRefused} DTM rejected it
 * @throws {DtmProtocolError} an answer DTM 1.18 never gives
 */
export async function prepare(server: DtmServer, request: DtmRequest): Promise<Transaction | null> {
  const { gid, transType } = request;
  const budget = new Budget(server.deadlineMs);
  for (;;) {
    const failure = await server.transaction('prepare', request, budget.share());
    if (!failure) return null;
    const stored = await lookUp(server, gid, budget);
    if (stored) return assertSameKind(transType, stored).status === 'prepared' ? null : stored;
    const error = hopeless(gid, failure);
    if (error) throw error;
    if (budget.spent || (stored === undefined && !failure.maybeReceived))
      throw new DtmUnavailable(`DTM did not prepare the transaction: ${failure.text}`, { gid, cause: failure.error });
    await pause();
  }
}
