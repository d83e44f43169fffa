import { sendableText } from '../branch/sendable-text.js';
import { DtmAborted, DtmOutcomeUnknown, DtmUnavailable } from '../errors.js';
import { assertGid } from '../gid.js';
import type { DtmRequest } from '../server/dtm-request.js';
import { refusalText, type Transaction } from '../server/transaction.js';
import { branchHeaders } from '../transaction/branch-headers.js';
import { answerBudget, Budget, backOff, pause } from '../transaction/budget.js';
import { prepare } from '../transaction/prepare.js';
import { ACKNOWLEDGED, assertSameKind, awaitFinal, lookUp, lookUpAfter, wasAnswered } from '../transaction/stored.js';
import { giveUp } from '../transaction/submit.js';
import type { TransactionContext } from '../transaction/transaction-context.js';
import { customData } from '../transaction/transaction-options.js';
import { Tcc } from './tcc.js';
import { assertTccOptions, OWNER_KEY, type TccOptions, type TccResult } from './tcc-options.js';

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
  // DTM confirms and cancels with these headers, of which it learns before there is any branch.
  const anyBranch = { transport: 'grpc', branchId: '', method: '', payload: '' } as const;
  const headers = branchHeaders({ gid, transType: 'tcc' }, options.headers, context, [
    { ...anyBranch, op: 'confirm' },
    { ...anyBranch, op: 'cancel' },
  ]);
  const request: DtmRequest = {
    gid,
    transType: 'tcc',
    transOptions: { waitResult, timeoutToFail, requestTimeout, retryInterval, branchHeaders: headers },
    customedData: customData(gid, options.customData, { [OWNER_KEY]: context.owner }, 'customData'),
    payloads: [],
    steps: [],
  };
  return context.inTurn(gid, answerBudget(context.server, waitResult), async () => {
    const stored = (await prepare(context.server, request)) ?? (await prepared(request, context));
    if (stored.status !== 'prepared') return { ...(await submitted(stored, request, context)), repeat: true };
    // Branches from before are those of an earlier call here, whose submit may still be on its way.
    if (stored.customData[OWNER_KEY] !== context.owner || stored.branches.length > 0)
      return { ...(await endOfOther(stored, request, context)), repeat: true };
    const tcc = new Tcc(gid, headers, requestTimeout, context);
    let value: T;
    try {
      value = await work(tcc);
      await tcc.end();
    } catch (error) {
      // Branches still being tried would be cancelled while they run; their barriers bear it, but the answer can wait.
      await tcc.end().catch(() => undefined);
      await abort(error, request, context);
      throw error;
    }
    return { ...(await submitTcc(request, context)), value, repeat: false };
  });
}

/**
 * What DTM has after a prepare. It acknowledges every prepare of a gid and keeps the custom data of the first one, which so tells
 * whose the TCC is.
 */
async function prepared({ gid, transType }: DtmRequest, { server }: TransactionContext): Promise<Transaction> {
  const stored = await lookUpAfter(ACKNOWLEDGED, server, gid, new Budget(server.deadlineMs));
  if (stored) return assertSameKind(transType, stored);
  throw new DtmUnavailable('DTM did not tell whose the transaction is', { gid });
}

/**
 * Waits for a TCC that another call carries out. Two that did would submit it twice: a submit of what is submitted already DTM
 * carries out without branches, and calls it a success while the first one still confirms.
 */
async function endOfOther(
  begun: Transaction,
  request: DtmRequest,
  context: TransactionContext,
): Promise<Pick<TccResult<never>, 'gid' | 'status'>> {
  const { server } = context;
  const { gid } = request;
  const budget = answerBudget(server, request.transOptions.waitResult);
  let stored = begun;
  while (stored.status === 'prepared') {
    if (budget.spent) throw new DtmOutcomeUnknown('another call has begun this TCC and is not done with it', { gid });
    await pause();
    const now = await lookUp(server, gid, budget);
    if (now === null) throw new DtmOutcomeUnknown('DTM has lost the transaction', { gid });
    stored = now ?? stored;
  }
  return submitted(stored, request, context);
}

/** Has DTM cancel. When DTM cannot be told, it cancels by itself at the timeout. */
async function abort(reason: unknown, request: DtmRequest, { server }: TransactionContext): Promise<void> {
  const budget = new Budget(server.deadlineMs);
  const rollbackReason = reason instanceof Error ? sendableText(reason.message) : '';
  for (let attempt = 0; ; attempt++) {
    const failure = await server.transaction('abort', { ...request, rollbackReason }, budget.share());
    if (!failure) return;
    const stored = await lookUpAfter(failure, server, request.gid, budget);
    if (stored?.status !== 'prepared' || budget.spent) return;
    await backOff(attempt, budget);
  }
}

async function submitTcc(
  request: DtmRequest,
  context: TransactionContext,
): Promise<Pick<TccResult<never>, 'gid' | 'status'>> {
  const { server } = context;
  const { gid } = request;
  const budget = answerBudget(server, request.transOptions.waitResult);
  let maybeReceived = false;
  for (let attempt = 0; ; attempt++) {
    const answer = await server.transaction('submit', request, budget.share());
    if (!answer && request.transOptions.waitResult) return { gid, status: 'succeed' };
    // DTM acknowledges a submit also when its store is away; the TCC is still prepared then, and cancelled at its timeout.
    const failure = answer ?? ACKNOWLEDGED;
    maybeReceived ||= failure.maybeReceived;
    let stored = await lookUpAfter(failure, server, gid, budget);
    // DTM may be about to carry out a submit that it did not answer: a second one would be carried out beside it.
    for (let look = 0; stored?.status === 'prepared' && !wasAnswered(failure) && !budget.spent; look++) {
      await backOff(look, budget);
      stored = await lookUpAfter(failure, server, gid, budget);
    }
    // DTM would store what it does not know as a new transaction without branches, which succeeds.
    if (stored === null) throw new DtmOutcomeUnknown('DTM has lost the transaction', { gid, cause: failure.error });
    if (stored && stored.status !== 'prepared') return submitted(stored, request, context);
    if (stored === undefined || budget.spent) throw giveUp(gid, maybeReceived, failure);
    await backOff(attempt, budget);
  }
}

/** The answer for a TCC that has left the state of being tried. */
async function submitted(
  stored: Transaction,
  { transOptions }: DtmRequest,
  { server }: TransactionContext,
): Promise<Pick<TccResult<never>, 'gid' | 'status'>> {
  const waits = transOptions.waitResult && stored.status === 'submitted';
  const now = waits ? await awaitFinal(server, stored, new Budget(server.waitDeadlineMs)) : stored;
  if (now.status === 'aborting' || now.status === 'failed') {
    throw new DtmAborted(refusalText(now.rollbackReason), { gid: now.gid });
  }
  return { gid: now.gid, status: now.status === 'succeed' ? 'succeed' : 'submitted' };
}
