import { Logger } from '@nestjs/common';
import { describe } from '../branch/answer.js';
import { Ongoing, Refusal } from '../branch/refusal.js';
import type { BranchVerdict } from '../branch/verdict.js';
import { DtmInvalidOption, DtmOutcomeUnknown, DtmProtocolError, DtmRefused } from '../errors.js';
import { assertGid } from '../gid.js';
import type { DtmRequest } from '../server/dtm-request.js';
import type { Transaction } from '../server/transaction.js';
import { branchHeaders, callTo } from '../transaction/branch-headers.js';
import type { BranchMethod } from '../transaction/branch-method.js';
import { branchUrl } from '../transaction/branch-target.js';
import { Budget, backOff } from '../transaction/budget.js';
import { checkedJson } from '../transaction/json.js';
import { prepare } from '../transaction/prepare.js';
import { ACKNOWLEDGED, assertSameKind, lookUpAfter } from '../transaction/stored.js';
import { giveUp } from '../transaction/submit.js';
import { customData } from '../transaction/transaction-options.js';
import { EndedElsewhere, Progress } from './progress.js';
import { asRefusal, reasonOf, Workflow, type WorkflowContext } from './workflow.js';
import { assertWorkflowOptions, type WorkflowOptions, type WorkflowResult } from './workflow-options.js';
import type { RegisteredWorkflow } from './workflows.js';

/** DTM's column `result`, which holds base64. */
const MAX_RESULT = 1_024;

/** What a run of a workflow needs around it. */
export interface RunContext extends WorkflowContext {
  /** Where DTM resumes the workflow. */
  callback: BranchMethod<never>;
}

/** How a workflow ends. */
type Decision = { status: 'succeed'; value: unknown } | { status: 'failed'; error: Error };

/** What a run came to. */
interface RunEnd {
  /** DTM knows the end. */
  final: boolean;
  /** It ended before, or another run has ended it. */
  repeat: boolean;
  decision?: Decision;
  /** Why it is not final. */
  error?: unknown;
}

/** Begins a workflow, or goes on with it, and tells how it ended. */
export async function runWorkflow<Output>(
  gid: string,
  workflow: RegisteredWorkflow,
  input: unknown,
  options: WorkflowOptions,
  context: RunContext,
): Promise<WorkflowResult<Output>> {
  assertGid(gid);
  assertWorkflowOptions(options);
  const { server } = context;
  const data = Buffer.from(JSON.stringify({ input: checkedJson(input, 'input', gid) })).toString('base64');
  const request: DtmRequest = {
    ...addressed(gid, context),
    transOptions: {
      requestTimeout: options.requestTimeout,
      retryInterval: options.retryInterval,
      branchHeaders: callbackHeaders(gid, workflow, options.headers ?? {}, context),
    },
    customedData: customData(gid, options.customData, { name: workflow.name, data }, 'input'),
  };
  return context.inTurn(gid, new Budget(server.deadlineMs), async () => {
    const known = await prepare(server, request, giveUp);
    // From here on DTM sees to it that the workflow is carried out, whatever becomes of this process.
    const stored = known ?? (await lookUpAfter(ACKNOWLEDGED, server, gid, new Budget(server.deadlineMs)));
    if (stored === null) throw new DtmOutcomeUnknown('DTM has lost the workflow', { gid });
    if (stored === undefined) return { gid, status: 'submitted', repeat: false, reason: 'DTM does not answer' };
    const { final, repeat, decision, error } = await carryOut(stored, workflow, context);
    if (decision?.status === 'failed') throw decision.error;
    // The type is the handler's word for what it returned, under this gid and name.
    const value = decision?.value as Output | undefined;
    return final
      ? { gid, status: 'succeed', value, repeat }
      : { gid, status: 'submitted', value, repeat, reason: describe(error) };
  });
}

/** Goes on with a workflow that DTM asks for. */
export async function resumeWorkflow(
  gid: string,
  workflow: RegisteredWorkflow,
  context: RunContext,
): Promise<BranchVerdict> {
  const stored = await context.server.query(gid);
  if (!stored) return { outcome: 'retry', text: 'DTM does not know this workflow' };
  const { final, decision, error } = await carryOut(stored, workflow, context);
  if (!final) return { outcome: error instanceof Ongoing ? 'ongoing' : 'retry', error, text: describe(error) };
  return decision?.status === 'failed'
    ? { outcome: 'refused', error: decision.error, text: describe(decision.error) }
    : { outcome: 'done', text: '' };
}

async function carryOut(stored: Transaction, workflow: RegisteredWorkflow, context: RunContext): Promise<RunEnd> {
  const { gid } = assertSameWorkflow(workflow.name, stored);
  const before = decisionOf(stored);
  if (before) return { final: true, repeat: true, decision: before };
  const logger = new Logger('Dtm');
  let steps: Workflow | undefined;
  let decision: Decision | undefined;
  try {
    const headers = callbackHeaders(gid, workflow, stored.headers, context);
    const progress = new Progress(context.server, gid, stored.branches);
    steps = new Workflow(gid, progress, headers, stored.requestTimeout, context);
    decision = await decide(steps, progress, workflow, inputOf(stored), context);
    await (decision.status === 'succeed' ? steps.commit() : steps.rollback());
    await submit(stored, decision, headers, context);
    return { final: true, repeat: false, decision };
  } catch (error) {
    if (error instanceof EndedElsewhere) {
      const ended = decisionOf(error.stored);
      // Who has ended it may not know of a step that was only begun here.
      if (ended?.status === 'failed') {
        await steps?.rollback({ told: false }).catch((cause: unknown) => {
          logger.error(`workflow ${workflow.name} ${gid}: what was begun here is not taken back: ${describe(cause)}`);
        });
      }
      return { final: true, repeat: true, decision: ended };
    }
    // A refusal when all is decided is one that DTM does not hear: somebody must look after it.
    const unheard = decision !== undefined && context.refuses(error);
    logger[unheard ? 'error' : 'warn'](`workflow ${workflow.name} ${gid} will go on later: ${describe(error)}`);
    return { final: false, repeat: false, decision, error };
  }
}

/**
 * Runs the handler. What is to be done about it afterwards is told to DTM before anything of it is done, and whoever tells it
 * first is right: so it is all or nothing even when two runs of one handler come to different ends.
 */
async function decide(
  steps: Workflow,
  progress: Progress,
  { name, handler }: RegisteredWorkflow,
  input: unknown,
  { refuses }: RunContext,
): Promise<Decision> {
  let mine: Decision;
  try {
    let value: unknown;
    try {
      value = await handler.run(steps, input);
    } finally {
      await steps.end();
    }
    mine = { status: 'succeed', value: decodeResult(encodeResult(value)) };
  } catch (error) {
    if (!refuses(error)) throw error;
    mine = { status: 'failed', error: asRefusal(error) };
  }
  const decided =
    progress.find('00', 'action') ??
    (await progress.record('00', 'action', {
      step: name,
      ...(mine.status === 'failed' ? { status: 'failed', reason: reasonOf(mine.error) } : mine),
    }));
  if (decided.status === 'failed') {
    return mine.status === 'failed' ? mine : { status: 'failed', error: new Refusal(decided.reason ?? '') };
  }
  // Confirming is left to a run that has got to the end.
  if (mine.status === 'failed') throw new Error(`it has been decided otherwise before: ${describe(mine.error)}`);
  return { status: 'succeed', value: decided.value };
}

async function submit(
  stored: Transaction,
  decision: Decision,
  branchHeaders: Record<string, string>,
  context: RunContext,
): Promise<void> {
  const { gid, requestTimeout } = stored;
  const { server } = context;
  // DTM's Redis store keeps what the submit carries and forgets what was prepared.
  const request: DtmRequest = {
    ...addressed(gid, context),
    transOptions: { requestTimeout, branchHeaders },
    customedData: JSON.stringify(stored.customData),
    reqExtra:
      decision.status === 'succeed'
        ? { status: 'succeed', result: encodeResult(decision.value) }
        : { status: 'failed', rollback_reason: reasonOf(decision.error) },
  };
  const budget = new Budget(server.deadlineMs);
  for (let attempt = 0; ; attempt++) {
    const failure = await server.transaction('submit', request, budget.share());
    if (!failure) return;
    // A second submit is refused with `storage: NotFound`, also when only the first one's reply was lost.
    const now = await lookUpAfter(failure, server, gid, budget);
    if (now && now.status !== 'prepared') throw new EndedElsewhere(now);
    if (!now || budget.spent) throw giveUp(gid, true, failure);
    await backOff(attempt, budget);
  }
}

/** Headers of the call by which DTM resumes a workflow, the only one it makes for it. */
function callbackHeaders(
  gid: string,
  { name }: RegisteredWorkflow,
  headers: Record<string, string>,
  context: RunContext,
): Record<string, string> {
  const { queryPrepared = '' } = addressed(gid, context);
  return branchHeaders({ gid, transType: 'workflow' }, headers, context, [
    { ...callTo(queryPrepared), branchId: '00', op: name, payload: '' },
  ]);
}

/** What prepare and submit have in common. */
function addressed(
  gid: string,
  context: RunContext,
): Pick<DtmRequest, 'gid' | 'transType' | 'payloads' | 'steps' | 'queryPrepared' | 'calledByHttp'> {
  const { callback } = context;
  return {
    gid,
    transType: 'workflow',
    payloads: [],
    steps: [],
    queryPrepared: branchUrl(callback, 'workflowCallback', gid, context),
    calledByHttp: 'url' in callback,
  };
}

function assertSameWorkflow(name: string, stored: Transaction): Transaction {
  const { gid, customData } = assertSameKind('workflow', stored);
  if (customData.name !== name)
    throw new DtmRefused(`the gid belongs to the workflow "${customData.name}", not to "${name}"`, { gid });
  return stored;
}

function inputOf({ customData: { data } }: Transaction): unknown {
  const { input }: { input?: unknown } = JSON.parse(Buffer.from(String(data), 'base64').toString());
  return input;
}

/** How a transaction that is final has ended. */
function decisionOf({ gid, status, result, rollbackReason }: Transaction): Decision | undefined {
  if (status === 'prepared') return undefined;
  if (status === 'failed') return { status, error: new Refusal(rollbackReason || 'stopped') };
  if (status === 'succeed') return { status, value: decodeResult(result) };
  throw new DtmProtocolError(`DTM has a workflow in the status ${status}`, { gid });
}

/** The empty text stands for `undefined`. */
function encodeResult(value: unknown): string {
  const text = JSON.stringify(checkedJson(value, 'result'));
  const result = text === undefined ? '' : Buffer.from(text).toString('base64');
  if (result.length > MAX_RESULT)
    throw new DtmInvalidOption('result', `too long for DTM's column: at most ${(MAX_RESULT / 4) * 3} bytes of JSON`);
  return result;
}

function decodeResult(result: string): unknown {
  return result === '' ? undefined : JSON.parse(Buffer.from(result, 'base64').toString());
}
