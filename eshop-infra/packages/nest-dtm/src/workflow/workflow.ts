import type { Barrier } from '../barrier/barrier.js';
import { describe } from '../branch/answer.js';
import type { Branch } from '../branch/branch.js';
import { runInBranch } from '../branch/current-branch.js';
import { Ongoing, Refusal } from '../branch/refusal.js';
import { DtmInvalidOption, isMisuse } from '../errors.js';
import type { BranchMethod, SameMessage } from '../transaction/branch-method.js';
import { branchUrl } from '../transaction/branch-target.js';
import type { TransactionContext } from '../transaction/transaction-context.js';
import { type Entry, encodeEntry, type Progress } from './progress.js';

/** DTM's RequestTimeout, milliseconds. */
const DEFAULT_CALL_MS = 3_000;

/** Branch ids have two digits. */
const MAX_STEPS = 99;

/** DTM's column of the rollback reason holds 1024 characters. */
const MAX_REASON = 200;

/** What a workflow's steps need around them. */
export interface WorkflowContext extends TransactionContext {
  /** For local steps. */
  barrier: Barrier | undefined;
  /** Whether an error means that the workflow is to be rolled back; else it is left to DTM. */
  refuses(error: unknown): boolean;
  /** No step is to begin any more. */
  closing(): boolean;
}

/** How a step is done, and what is done with it when all is decided. */
interface Step {
  action: (branch: Branch) => Promise<unknown>;
  commit?: Afterwards;
  /** `value` is what the action returned. */
  rollback?: ((branch: Branch, value: unknown) => Promise<void>) | null;
}

type Afterwards = (branch: Branch) => Promise<void>;

/** What is left to do with a step when all is decided. */
interface Pending {
  branch: Branch;
  step: string;
  run: Afterwards;
}

/** A workflow under way: its steps. Made by `DtmService.workflow`, for the time of one run. */
export class Workflow {
  #steps = 0;
  #underWay: Promise<unknown> | undefined;
  #failure: unknown;
  readonly #commits: Pending[] = [];
  readonly #rollbacks: Pending[] = [];

  constructor(
    /** Id of the transaction. */
    readonly gid: string,
    private readonly progress: Progress,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly requestTimeout: number | undefined,
    private readonly context: WorkflowContext,
  ) {}

  /**
   * A step in this service's own store: `work` runs in one transaction with its mark, which `LocalTransaction` finds, once. What
   * it returns is kept there too, and given again (as JSON carries it) whenever the workflow is resumed.
   *
   * Under the Redis barrier the one script that `work` runs through `RedisTransaction` takes effect once, with its mark, and what
   * the script returned is kept there; `work` around it may run again and must make the same of it. Let the script refuse, not
   * what stands behind it.
   *
   * @param name tells steps apart; must stay the same while workflows are under way
   * @param rollback takes it back, in a transaction with a mark of its own; gets what `work` returned. Runs only when `work` took
   * effect. `null`: nothing to take back
   * @throws {Refusal} `work` refused; the workflow is rolled back
   * @throws whatever `work` throws; DTM resumes the workflow
   */
  local<T>(name: string, work: () => Promise<T>, rollback: ((value: T) => Promise<void>) | null): Promise<T> {
    return this.#step(name, () => {
      const { step, stepBack } = this.#barrier();
      return {
        action: async (branch) => {
          const outcome = await step(branch, () => runInBranch(branch, async () => encode(name, await work())));
          if (!outcome.done) throw new Ongoing(`step ${name} has been taken back by another run`);
          return decode(outcome.result);
        },
        rollback:
          rollback && ((branch, value) => stepBack(branch, () => runInBranch(branch, () => rollback(value as T)))),
      };
    }) as Promise<T>;
  }

  /**
   * A step that has nothing to be taken back, such as asking another service, the time, or a random number: `work` may run again
   * when the process dies right after it, but all runs of the workflow go on with the same answer (as JSON carries it).
   *
   * @throws {Refusal} `work` refused; the workflow is rolled back
   * @throws whatever `work` throws; DTM resumes the workflow
   */
  record<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#step(name, () => ({ action: work })) as Promise<T>;
  }

  /**
   * A step in another service, as a saga's: `action` is called from here, `compensation` when the workflow is rolled back, also
   * when it was this step that refused. Both take the same message. `null`: nothing to take back.
   *
   * @throws {Refusal} the branch refused; the workflow is rolled back
   * @throws {DtmBranchFailed} the branch gave no such answer; DTM resumes the workflow
   * @throws the branch has no address here; DTM resumes the workflow
   */
  branch<Action, Compensation = Action>(
    action: BranchMethod<Action>,
    compensation: (BranchMethod<Compensation> & SameMessage<Action, Compensation>) | null,
    payload: NoInfer<Action>,
  ): Promise<void> {
    return this.#step(nameOf(action), (field) => {
      const call = this.#caller(field, action.requestSerialize(payload));
      return { action: call('action', action), rollback: compensation && call('compensation', compensation) };
    }) as Promise<void>;
  }

  /**
   * A step in another service, as a TCC's: `tryMethod` is called from here; when the workflow's `run` has returned, `confirm`;
   * when it is rolled back, `cancel`. All three take the same message.
   *
   * @throws {Refusal} the branch refused; the workflow is rolled back
   * @throws {DtmBranchFailed} the branch gave no such answer; DTM resumes the workflow
   * @throws the branch has no address here; DTM resumes the workflow
   */
  tcc<Try, Confirm = Try, Cancel = Try>(
    tryMethod: BranchMethod<Try>,
    confirm: BranchMethod<Confirm> & SameMessage<Try, Confirm>,
    cancel: BranchMethod<Cancel> & SameMessage<Try, Cancel>,
    payload: NoInfer<Try>,
  ): Promise<void> {
    return this.#step(nameOf(tryMethod), (field) => {
      const call = this.#caller(field, tryMethod.requestSerialize(payload));
      return { action: call('try', tryMethod), commit: call('confirm', confirm), rollback: call('cancel', cancel) };
    }) as Promise<void>;
  }

  /** Waits for a step that `run` did not await, and throws the first failure of a step, also one that `run` has swallowed. */
  async end(): Promise<void> {
    if (this.#underWay) this.#failure ??= new Error('a step is still under way; was a promise not awaited?');
    await this.#underWay?.catch(() => undefined);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Confirms what was tried, last first. */
  commit(): Promise<void> {
    return this.#afterwards('commit', this.#commits, true);
  }

  /** Takes all steps back, last first. `told: false`: the workflow has ended, DTM takes nothing more. */
  rollback({ told = true } = {}): Promise<void> {
    return this.#afterwards('rollback', this.#rollbacks, told);
  }

  async #afterwards(op: 'commit' | 'rollback', todo: readonly Pending[], told: boolean): Promise<void> {
    for (const { branch, step, run } of todo.toReversed()) {
      if (this.progress.find(branch.branchId, op)) continue;
      await run({ ...branch, op });
      if (told) await this.progress.record(branch.branchId, op, { step, status: 'succeed' });
    }
  }

  #step(name: string, make: (field: string) => Step): Promise<unknown> {
    const step = this.#inTurn(name, make);
    // Whoever forgets to await it learns of it at the end.
    step.catch(() => undefined);
    return step;
  }

  async #inTurn(name: string, make: (field: string) => Step): Promise<unknown> {
    if (this.#underWay)
      this.#failure ??= new Error(`step ${name} begins while another is under way; take them one by one`);
    if (this.#failure !== undefined) throw this.#failure;
    this.#underWay = this.#take(name, make);
    try {
      return await this.#underWay;
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      this.#underWay = undefined;
    }
  }

  async #take(name: string, make: (field: string) => Step): Promise<unknown> {
    const { gid, progress } = this;
    if (this.#steps === MAX_STEPS) throw new DtmInvalidOption('steps', `at most ${MAX_STEPS}`, { gid });
    const { action, commit, rollback } = this.#make(make);
    const branchId = String(++this.#steps).padStart(2, '0');
    const branch: Branch = { transType: 'workflow', gid, branchId, op: 'action' };
    let entry = progress.find(branchId, 'action');
    if (entry && entry.step !== name)
      throw new Error(`step ${branchId} was "${entry.step}" when it first ran and is "${name}" now`);
    if (!entry) this.#mayBegin();
    let value: unknown;
    // Whatever becomes of it: it may have taken effect.
    if (commit) this.#commits.push({ branch, step: name, run: commit });
    if (rollback) this.#rollbacks.push({ branch, step: name, run: (undoing) => rollback(undoing, value) });
    let refusal: unknown;
    if (!entry) {
      const mine = await this.#carryOut(name, () => action(branch));
      refusal = mine.error;
      // Should DTM not take it any more, it is what is to be taken back.
      value = mine.entry.value;
      entry = await progress.record(branchId, 'action', mine.entry);
    }
    value = entry.value;
    if (entry.status === 'failed') throw refusal ?? new Refusal(entry.reason ?? '');
    return entry.value;
  }

  /** A step that this process cannot take, for want of an address or a barrier, is left to one that can. */
  #make(make: (field: string) => Step): Step {
    try {
      return make(`steps.${this.#steps}`);
    } catch (error) {
      throw new Error(`cannot take a step: ${describe(error)}`, { cause: error });
    }
  }

  /** After a refusal of another run no step may begin that nobody would take back. */
  #mayBegin(): void {
    const decided = this.progress.find('00', 'action');
    if (decided?.status === 'failed') throw new Refusal(decided.reason ?? '');
    if (this.context.closing()) throw new Ongoing('the service is shutting down');
  }

  async #carryOut(step: string, action: () => Promise<unknown>): Promise<{ entry: Entry; error?: unknown }> {
    try {
      // All runs see the value as the later ones will.
      const { value } = JSON.parse(encodeEntry({ step, status: 'succeed', value: await action() }).toString());
      return { entry: { step, status: 'succeed', value } };
    } catch (error) {
      if (!this.context.refuses(error)) throw error;
      return { entry: { step, status: 'failed', reason: reasonOf(error) }, error: asRefusal(error) };
    }
  }

  /** Makes the calls of one step, all with the same payload. */
  #caller(field: string, payload: Uint8Array): (role: string, method: BranchMethod<never>) => Afterwards {
    const { gid, context, headers, requestTimeout } = this;
    const deadlineMs = requestTimeout ? requestTimeout * 1_000 : DEFAULT_CALL_MS;
    return (role, method) => {
      const url = branchUrl(method, `${field}.${role}`, gid, context);
      return async (branch) => {
        await context.caller.call({ ...branch, url, headers, payload, deadlineMs });
      };
    };
  }

  /** The barrier's ways to do and to take back a local step. */
  #barrier(): Required<Pick<Barrier, 'step' | 'stepBack'>> {
    const { barrier } = this.context;
    if (!barrier?.step || !barrier.stepBack)
      throw new DtmInvalidOption('barrier', 'the workflow has no barrier that can do local steps', { gid: this.gid });
    return { step: barrier.step.bind(barrier), stepBack: barrier.stepBack.bind(barrier) };
  }
}

/** An error that rolls a workflow back, as its caller gets it. */
export function asRefusal(error: unknown): Error {
  if (error instanceof Refusal || (error instanceof Error && isMisuse(error))) return error;
  return new Refusal(describe(error), { cause: error });
}

/** An error's words for DTM's rollback reason. */
export function reasonOf(error: unknown): string {
  return describe(error).slice(0, MAX_REASON);
}

/** Without the host, which may change while workflows are under way. */
function nameOf(method: BranchMethod<never>): string {
  return 'path' in method ? method.path : method.url.replace(/^https?:\/\/[^/]*/, '');
}

/** A local step's result as the barrier keeps it; checked while its effect can still be undone. */
function encode(step: string, value: unknown): string {
  encodeEntry({ step, status: 'succeed', value });
  return JSON.stringify({ value });
}

function decode(kept: string): unknown {
  return kept === '' ? undefined : (JSON.parse(kept) as { value?: unknown }).value;
}
