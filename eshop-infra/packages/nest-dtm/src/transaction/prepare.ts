import { DtmUnavailable } from '../errors.js';
import type { CallFailure } from '../server/call-failure.js';
import type { DtmRequest } from '../server/dtm-request.js';
import type { DtmServer } from '../server/dtm-server.js';
import type { Transaction } from '../server/transaction.js';
import { Budget, backOff } from './budget.js';
import { hopeless } from './judge-failure.js';
import { assertSameKind, lookUpAfter } from './stored.js';
import type { giveUp } from './submit.js';

/**
 * Makes a transaction known without starting it. Returns `null` when it is prepared (now or before), else what the server has:
 * a transaction that has gone further.
 *
 * @param lost the error when DTM did not tell whether it has it
 * @throws {DtmUnavailable} it is not known to be prepared; nothing runs
 * @throws {DtmRefused} DTM rejected it
 * @throws {DtmProtocolError} an answer DTM 1.18 never gives
 */
export async function prepare(
  server: DtmServer,
  request: DtmRequest,
  lost: typeof giveUp = notPrepared,
): Promise<Transaction | null> {
  const { gid, transType } = request;
  const budget = new Budget(server.deadlineMs);
  let maybeReceived = false;
  for (let attempt = 0; ; attempt++) {
    const failure = await server.transaction('prepare', request, budget.share());
    if (!failure) return null;
    maybeReceived ||= failure.maybeReceived;
    const stored = await lookUpAfter(failure, server, gid, budget);
    if (stored) return assertSameKind(transType, stored).status === 'prepared' ? null : stored;
    const error = stored === null ? hopeless(gid, failure) : undefined;
    if (error) throw error;
    if (stored === undefined || budget.spent) throw lost(gid, maybeReceived, failure);
    await backOff(attempt, budget);
  }
}

/** Of a transaction that does nothing while it is prepared only. */
function notPrepared(gid: string, _maybeReceived: boolean, { text, error: cause }: CallFailure): DtmUnavailable {
  return new DtmUnavailable(`DTM did not prepare the transaction: ${text}`, { gid, cause });
}
