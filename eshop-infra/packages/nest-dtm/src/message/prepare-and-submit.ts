import type { LocalOutcome, LocalStep } from '../barrier/local-step.js';
import { isTransient } from '../branch/classify.js';
import { sendableText } from '../branch/sendable-text.js';
import { DtmAborted, DtmNotDone, DtmOutcomeUnknown, DtmRefused } from '../errors.js';
import type { DtmRequest } from '../server/dtm-request.js';
import type { DtmServer } from '../server/dtm-server.js';
import type { Transaction } from '../server/transaction.js';
import { answerBudget, Budget, backOff } from '../transaction/budget.js';
import { prepare } from '../transaction/prepare.js';
import { ACKNOWLEDGED, assertSameKind, awaitFinal, lookUpAfter, wasAnswered } from '../transaction/stored.js';
import { type LocalMessageResult, type MessageResult, messageResult } from './message-result.js';

/** A two-phase message on its way to a server. */
export interface TwoPhase {
  server: DtmServer;
  /** Its name as branches are told it. */
  serverMark: string;
  /** With the address of the back-check. DTM keeps the steps and the options of Prepare, so it is sent whole both times. */
  request: DtmRequest;
  /** Nobody else has the gid. */
  fresh: boolean;
}

/** Prepare, local step, submit; or abort. */
export async function prepareAndSubmit<T>(message: TwoPhase, local: LocalStep<T>): Promise<LocalMessageResult<T>> {
  const known = await prepare(message.server, message.request);
  if (known) return { ...(await underWay(message, known, budgetOf(message))), repeat: true };
  const { repeat, value } = await doLocally(message, local);
  return { ...(await submitPrepared(message, repeat)), value, repeat };
}

/** Returns when the local step is done; throws when it is not and never will be, or when that cannot be known. */
async function doLocally<T>(message: TwoPhase, local: LocalStep<T>): Promise<{ repeat: boolean; value?: T }> {
  const { gid } = message.request;
  let reason: unknown;
  try {
    const outcome = await runLocally(message, local);
    if (outcome.done) return outcome;
    reason = new DtmAborted('', { gid });
  } catch (error) {
    reason = error;
    // A refusal too needs the mark: without it another caller of the same gid could do the work just before the abort.
    const marked = !(message.fresh && error instanceof DtmNotDone);
    if (marked && (await check(message, local, error)) === 'done') return { repeat: true };
  }
  // An abort that is lost does no harm: DTM will ask the back-check, which says the same.
  const rollbackReason = reason instanceof Error ? sendableText(reason.message) : '';
  await message.server.transaction('abort', { ...message.request, rollbackReason }, message.server.deadlineMs);
  throw reason;
}

/**
 * A deadlock or a lost connection is nothing the work decided, so it is tried again: an abort would use up the gid. A store that takes no
 * writes is not waited for, but says nothing of the attempts before.
 */
async function runLocally<T>({ server, serverMark, request }: TwoPhase, local: LocalStep<T>): Promise<LocalOutcome<T>> {
  const budget = new Budget(server.deadlineMs);
  let before: { error: unknown } | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      return await local.run(request.gid, serverMark);
    } catch (error) {
      if (error instanceof DtmNotDone) throw before ? before.error : error;
      if (budget.spent || !isTransient(error)) throw error;
      before = { error };
      await backOff(attempt, budget);
    }
  }
}

async function check(
  { request: { gid }, serverMark }: TwoPhase,
  local: LocalStep<unknown>,
  error: unknown,
): Promise<'done' | 'rolled-back'> {
  try {
    return await local.check(gid, serverMark);
  } catch (cause) {
    // What an earlier call has done it will learn when it repeats this one; DTM asks the back-check until it can be answered.
    if (error instanceof DtmNotDone && cause instanceof DtmNotDone) throw error;
    const words = [error, cause].map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
    throw new DtmOutcomeUnknown(`it is not known whether the local step was done: ${words}`, { gid, cause: error });
  }
}

/**
 * Submits a message whose local step is done. It need not succeed: DTM has it prepared, so it asks the back-check and sends it
 * all the same.
 */
async function submitPrepared(message: TwoPhase, repeat: boolean): Promise<MessageResult> {
  const { server, request } = message;
  const { gid } = request;
  const budget = budgetOf(message);
  if (repeat) {
    // DTM runs the steps again for every submit that finds them running; it sends what it has prepared, also unasked.
    const stored = await lookUpAfter(ACKNOWLEDGED, server, gid, budget);
    if (stored === undefined) return { gid, status: 'submitted' };
    if (stored && stored.status !== 'prepared') return underWay(message, stored, budget, true);
  }
  for (let attempt = 0; ; attempt++) {
    const failure = await server.transaction('submit', request, budget.share());
    if (!failure) return { gid, status: request.transOptions.waitResult ? 'succeed' : 'submitted' };
    const stored = await lookUpAfter(failure, server, gid, budget);
    if (stored && stored.status !== 'prepared') return underWay(message, stored, budget, true);
    if (stored === null && budget.spent)
      throw new DtmOutcomeUnknown(`DTM has lost the prepared message and does not take it: ${failure.text}`, { gid });
    // DTM has it prepared, and will ask the back-check. It is submitted again only when DTM said no, or has lost it.
    if (stored === undefined || budget.spent || (stored && !wasAnswered(failure))) return { gid, status: 'submitted' };
    await backOff(attempt, budget);
  }
}

async function underWay(
  message: TwoPhase,
  stored: Transaction,
  budget: Budget,
  localDone = false,
): Promise<MessageResult> {
  assertSameKind('msg', stored);
  if (localDone && stored.status === 'failed')
    throw new DtmRefused('the message was stopped although its local step is done', { gid: stored.gid });
  const waits = message.request.transOptions.waitResult && stored.status === 'submitted';
  return messageResult(waits ? await awaitFinal(message.server, stored, budget) : stored);
}

function budgetOf({ server, request }: TwoPhase): Budget {
  return answerBudget(server, request.transOptions.waitResult);
}
