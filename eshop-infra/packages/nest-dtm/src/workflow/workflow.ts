import type { Barrier } from '../barrier/barrier.js';
import { describe } from '../branch/answer.js';
import type { Branch } from '../branch/branch.js';
import { runInBranch } from '../branch/current-branch.js';
import { Ongoing, Refusal } from '../branch/refusal.js';
import { sendableText } from '../branch/sendable-text.js';
import { DtmInvalidOption, isMisuse } from '../errors.js';
import type { BranchReply } from '../transaction/branch-caller.js';
import { ownHeaders } from '../transaction/branch-headers.js';
import { type BranchMethod, type MethodAs, replyReader, type SameMessage } from '../transaction/branch-method.js';
import { branchUrl, serialize } from '../transaction/branch-target.js';
import { assertRoles, type Compensable, type Role, type Roles, type TccBranch } from '../transaction/compensable.js';
import type { TransactionContext } from '../transaction/transaction-context.js';
import { type Entry, encodeEntry, type Progress } from './progress.js';

/** DTM's RequestTimeout, milliseconds. */
const DEFAULT_CALL_MS = 3_000;

/** Branch ids have two digits. */
const MAX_STEPS = 99;

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
  rollback?: ((branch: Branch, value: unknown) => Promise<unknown>) | null;
}

type Afterwards = (branch: Branch) => Promise<unknown>;

type RemoteCall = (branch: Branch) => Promise<BranchReply>;

/** Makes the call of one method of a step. */
type Caller = (role: Role, method: BranchMethod<never>) => RemoteCall;

type TccMethods = Record<'try' | 'confirm' | 'cancel', BranchMethod<never>>;

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
    return this.#step(name, (field) => {
      if (rollback === undefined)
        throw new DtmInvalidOption(`${field}.rollback`, 'is undefined; null takes nothing back');
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
   * A step in another service, as a saga's: the action is called from here, the compensation when the workflow is rolled back, also
   * when it was this step that refused. Both are paired by `compensable`.
   *
   * Resolves with the action's reply, as its `responseDeserialize` reads it; all runs of the workflow get the same. `undefined`: the
   * branch had taken effect in a call whose reply this process did not hear, or it says nothing.
   *
   * @throws {Refusal} the branch refused; the workflow is rolled back
   * @throws {DtmInvalidOption} the payload cannot be carried; nothing was sent, the workflow is rolled back
   * @throws {DtmBranchFailed} the branch gave no such answer; DTM resumes the workflow
   * @throws the branch has no address here; DTM resumes the workflow
   */
  branch<Request, Reply>(pair: Compensable<Request, Reply>, payload: NoInfer<Request>): Promise<Reply | undefined>;
  /**
   * The same without a pair. Both methods take the same message. `null` as compensation: nothing to take back.
   *
   * @throws {DtmInvalidOption} also when both are the same method
   */
  branch<Action, Reply, Compensation = Action>(
    action: MethodAs<'action', Action, Reply>,
    compensation: (MethodAs<'compensation', Compensation> & SameMessage<Action, Compensation>) | null,
    payload: NoInfer<Action>,
  ): Promise<Reply | undefined>;
  branch(first: Compensable<never> | BranchMethod<never>, ...rest: unknown[]): Promise<unknown> {
    if ('action' in Object(first)) return this.#branch(first as Compensable<never>, rest[0]);
    const [action, compensation] = [first as BranchMethod<never>, rest[0] as BranchMethod<never> | null];
    return this.#branch({ action, compensation }, rest[1]);
  }

  /**
   * A step in another service, as a TCC's: the try is called from here; when the workflow's `run` has returned, the confirmation;
   * when it is rolled back, the cancellation. The methods are put together by `tccBranch`. Resolves and throws as `branch`.
   */
  tcc<Request, Reply>(methods: TccBranch<Request, Reply>, payload: NoInfer<Request>): Promise<Reply | undefined>;
  /** The same with methods that are not put together by `tccBranch`. All three take the same message. */
  tcc<Try, Reply, Confirm = Try, Cancel = Try>(
    tryMethod: MethodAs<'try', Try, Reply>,
    confirm: MethodAs<'confirm', Confirm> & SameMessage<Try, Confirm>,
    cancel: MethodAs<'cancel', Cancel> & SameMessage<Try, Cancel>,
    payload: NoInfer<Try>,
  ): Promise<Reply | undefined>;
  tcc(first: TccBranch<never> | BranchMethod<never>, ...rest: unknown[]): Promise<unknown> {
    if ('try' in Object(first)) return this.#tcc(first as TccBranch<never>, rest[0]);
    const [tryMethod, confirm, cancel] = [first, rest[0], rest[1]] as BranchMethod<never>[];
    return this.#tcc({ try: tryMethod, confirm, cancel } as TccMethods, rest[2]);
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

  #branch(
    roles: { action: BranchMethod<never>; compensation: BranchMethod<never> | null },
    payload: unknown,
  ): Promise<unknown> {
    const { action, compensation } = roles;
    return this.#remote(action, roles, payload, (call) => ({
      action: call('action', action),
      rollback: compensation && call('compensation', compensation),
    }));
  }

  #tcc(roles: TccMethods, payload: unknown): Promise<unknown> {
    return this.#remote(roles.try, roles, payload, (call) => ({
      action: call('try', roles.try),
      commit: call('confirm', roles.confirm),
      rollback: call('cancel', roles.cancel),
    }));
  }

  /** A step that calls methods of another service, all with the same payload. */
  #remote(
    first: BranchMethod<never>,
    roles: Roles,
    payload: unknown,
    make: (call: Caller) => { action: RemoteCall; commit?: RemoteCall; rollback: RemoteCall | null },
  ): Promise<unknown> {
    const step = this.#step(nameOf(first), (field) => {
      assertRoles(roles, field, this.gid);
      const bytes = serialize<unknown>(first as BranchMethod<unknown>, payload, `${field}.payload`, this.gid);
      const { action, ...others } = make(this.#caller(field, bytes));
      return { ...others, action: async (branch) => keptReply(first, await action(branch)) };
    }).then((kept) => readReply(first, kept));
    step.catch(() => undefined);
    return step;
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
    const branchId = String(this.#steps + 1).padStart(2, '0');
    let entry = progress.find(branchId, 'action');
    const { action, commit, rollback } = this.#make(make, entry !== undefined);
    this.#steps++;
    const { serverMark: server } = this.context;
    const branch: Branch = { transType: 'workflow', gid, branchId, op: 'action', ...(server && { server }) };
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

  /** A step that is wrong in itself rolls the workflow back, unless it has been taken: then this run cannot take it back. */
  #make(make: (field: string) => Step, taken: boolean): Step {
    try {
      return make(`steps.${this.#steps}`);
    } catch (error) {
      throw taken && error instanceof DtmInvalidOption ? cannotTake(error) : error;
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
  #caller(field: string, payload: Uint8Array): Caller {
    const { gid, context, headers, requestTimeout } = this;
    const deadlineMs = requestTimeout ? requestTimeout * 1_000 : DEFAULT_CALL_MS;
    return (role, method) => {
      const url = hereOnly(() => branchUrl(method, `${field}.${role}`, gid, context));
      return (branch) => {
        const call = { ...branch, url, payload };
        return context.caller.call({ ...call, headers: ownHeaders(headers, context, call), deadlineMs });
      };
    };
  }

  /** The barrier's ways to do and to take back a local step. */
  #barrier(): Required<Pick<Barrier, 'step' | 'stepBack'>> {
    const { barrier } = this.context;
    if (!barrier?.step || !barrier.stepBack)
      throw cannotTake(
        new DtmInvalidOption('barrier', 'the workflow has no barrier that can do local steps', { gid: this.gid }),
      );
    return { step: barrier.step.bind(barrier), stepBack: barrier.stepBack.bind(barrier) };
  }
}

/** Of a step that this process cannot take, for want of an address or a barrier: it is left to one that can. */
function cannotTake(error: unknown): Error {
  return new Error(`cannot take a step: ${describe(error)}`, { cause: error });
}

function hereOnly<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    throw cannotTake(error);
  }
}

/** An error that rolls a workflow back, as its caller gets it. */
export function asRefusal(error: unknown): Error {
  if (error instanceof Refusal || (error instanceof Error && isMisuse(error))) return error;
  return new Refusal(describe(error), { cause: error });
}

/** An error's words for DTM's rollback reason. */
export function reasonOf(error: unknown): string {
  return sendableText(describe(error));
}

/** Without the host, which may change while workflows are under way. */
function nameOf(method: BranchMethod<never>): string {
  const { path, url } = Object(method) as { path?: string; url?: string };
  return path ?? String(url).replace(/^https?:\/\/[^/]*/, '');
}

/** A reply as it is kept with the step: its bytes, which say everything that its codec reads. */
function keptReply(method: BranchMethod<never>, { bytes, skipped }: BranchReply): string | undefined {
  return skipped || !replyReader(method) ? undefined : bytes.toString('base64');
}

function readReply(method: BranchMethod<never>, kept: unknown): unknown {
  return typeof kept === 'string' ? replyReader(method)?.(Buffer.from(kept, 'base64')) : undefined;
}

/** A local step's result as the barrier keeps it; checked while its effect can still be undone. */
function encode(step: string, value: unknown): string {
  encodeEntry({ step, status: 'succeed', value });
  return JSON.stringify({ value });
}

function decode(kept: string): unknown {
  return kept === '' ? undefined : (JSON.parse(kept) as { value?: unknown }).value;
}
