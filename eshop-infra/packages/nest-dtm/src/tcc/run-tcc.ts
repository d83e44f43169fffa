import { Refusal } from '../branch/refusal.js';
import { DtmOutcomeUnknown } from '../errors.js';
import { assertGid } from '../gid.js';
import type { DtmRequest } from '../server/dtm-request.js';
import { refusalText, type Transaction } from '../server/transaction.js';
import { Budget, pause } from '../transaction/budget.js';
import { prepare } from '../transaction/prepare.js';
import { awaitFinal, lookUp } from '../transaction/stored.js';
import { giveUp } from '../transaction/submit.js';
import type { TransactionContext } from '../transaction/transaction-context.js';
import { branchHeaders, customData } from '../transaction/transaction-options.js';
import { Tcc } from './tcc.js';
import { assertTccOptions, type TccOptions, type TccResult } from './tcc-options.js';

/** Longest time to ask for the state before a submit, milliseconds. */
const ASK_MS = 1_000;

/** Prepare, try branch after branch, submit; or abort. */
export async function runTcc<T>(
  gid: string,
  work: (tcc: Tcc) => Promise<T>,
  options: TccOptions,
  context: TransactionContext,
): Promise<TccResult<T>> {
  assertGid(gid);
  assertTccOptions(options);
  const { timeoutToFail, requestTimeout, retryInterval, waitResult = false } = options;
  const headers = branchHeaders(gid, options.headers, context);
  const request: DtmRequest = {
    gid,
    transType: 'tcc',
    transOptions: { waitResult, timeoutToFail, requestTimeout, retryInterval, branchHeaders: headers },
    customedData: customData(gid, options.customData, {}, 'customData'),
    payloads: [],
    steps: [],
  };
  return context.inTurn(gid, async () => {
    const known = await prepare(context.server, request);
    if (known) return { ...(await submitted(known, request, context)), repeat: true };
    const tcc = new Tcc(gid, headers, requestTimeout, context);
    let value: T;
    try {
      value = await work(tcc);
      await tcc.end();
    } catch (error) {
      // Branches still being tried would be cancelled while they run; their barriers bear it, but the answer can wait.
      await tcc.end().catch(() => undefined);
      const other = await abort(error, request, context);
      if (other) return { ...(await submitted(other, request, context)), repeat: true };
      throw error;
    }
    return { ...(await submitTcc(request, context)), value, repeat: false };
  });
}

/**
 * Has DTM cancel. When DTM cannot be told, it cancels by itself at the timeout. Returns the transaction when another caller of
 * the gid has submitted it meanwhile.
 */
async function abort(
  reason: unknown,
  request: DtmRequest,
  { server }: TransactionContext,
): Promise<Transaction | undefined> {
  const budget = new Budget(server.deadlineMs);
  const rollbackReason = reason instanceof Error ? reason.message.slice(0, 200) : '';
  for (;;) {
    const failure = await server.transaction('abort', { ...request, rollbackReason }, budget.share());
    if (!failure) return undefined;
    const stored = await lookUp(server, request.gid, budget);
    if (stored?.status === 'submitted' || stored?.status === 'succeed') return stored;
    if (stored === null || (stored && stored.status !== 'prepared')) return undefined;
    if (budget.spent || (stored === undefined && !failure.maybeReceived)) return undefined;
    await pause();
  }
}

async function submitTcc(
  request: DtmRequest,
  context: TransactionContext,
): Promise<Pick<TccResult<never>, 'gid' | 'status'>> {
  const { server } = context;
  const { gid } = request;
  const budget = new Budget(request.transOptions.waitResult ? server.waitDeadlineMs : server.deadlineMs);
  let maybeReceived = false;
  // A submit of what is submitted already DTM carries out without branches, and calls it a success while the first one still
  // confirms: should DTM die then, what is not confirmed stays so. Asking first leaves a moment's gap, so a gid is one process's.
  const before = await lookUp(server, gid, new Budget(ASK_MS));
  if (before && before.status !== 'prepared') return submitted(before, request, context);
  for (;;) {
    // DTM would store what it does not know as a new transaction without branches, which succeeds; so it is asked again only
    // while it has this one.
    const failure = await server.transaction('submit', request, budget.share());
    if (!failure) return { gid, status: request.transOptions.waitResult ? 'succeed' : 'submitted' };
    maybeReceived ||= failure.maybeReceived;
    const stored = await lookUp(server, gid, budget);
    if (stored === null) throw new DtmOutcomeUnknown('DTM has lost the transaction', { gid, cause: failure.error });
    if (stored && stored.status !== 'prepared') return submitted(stored, request, context);
    if (budget.spent || (stored === undefined && !failure.maybeReceived)) throw giveUp(gid, maybeReceived, failure);
    await pause();
  }
}

/** The answer for a TCC that has left the state of being tried. */
async function submitted(
  stored: Transaction,
  { transOptions }: DtmRequest,
  { server }: TransactionContext,
): Promise<Pick<TccResult<never>, 'gid' | 'status'>> {
  const waits = transOptions.waitResult && stored.status === 'submitted';
  const { gid, status, rollbackReason } = waits
    ? await awaitFinal(server, stored, new Budget(server.waitDeadlineMs))
    : stored;
  if (status === 'aborting' || status === 'failed') {
    const reason = refusalText(rollbackReason);
    throw new Refusal(reason ? `cancelled: ${reason}` : 'cancelled');
  }
  return { gid, status: status === 'succeed' ? 'succeed' : 'submitted' };
}
