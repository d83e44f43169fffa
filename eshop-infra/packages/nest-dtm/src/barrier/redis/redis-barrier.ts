import { describe } from '../../branch/answer.js';
import type { Branch } from '../../branch/branch.js';
import { isUndoingOp, undoingOf, undoneBy } from '../../branch/op.js';
import { Refusal } from '../../branch/refusal.js';
import { DtmInvalidOption, DtmNotDone } from '../../errors.js';
import { assertGid } from '../../gid.js';
import type { Barrier, BarrierCall, BarrierOutcome, StepOutcome } from '../barrier.js';
import { localBranch } from '../local-branch.js';
import type { LocalStep } from '../local-step.js';
import { orAbandon } from '../or-abandon.js';
import { assertOneSlot } from './hash-slot.js';
import { BACK_CHECK, REFUSE, type Role, TO_TAKE_BACK, underBarrier, underKeepingBarrier } from './lua.js';
import { DtmNoScript } from './no-script.js';
import { RedisCall, redisCall, type ScriptOutcome } from './redis-call.js';
import type { RedisClient } from './redis-client.js';
import type { RedisScript } from './redis-script.js';
import { refusedWrite } from './refused-write.js';
import { ScriptCache, scriptOf } from './script-cache.js';
import { ScriptRunner } from './script-runner.js';

/** Settings of the Redis barrier. */
export interface RedisBarrierOptions {
  /**
   * How long it is remembered that a branch took effect, seconds. Default 8 days: longer than DTM on Redis keeps a transaction
   * (7 days). A call that comes later would take effect again.
   */
  expireSeconds?: number;
  /**
   * The part of the barrier's keys that tells transactions apart and holds the hash tag of the business keys. Default: the gid.
   */
  keyOf?: (branch: Branch) => string;
  /** Longest wait for Redis, milliseconds; then DTM is told to try again. Default 2000, below DTM's 3 s. */
  deadlineMs?: number;
}

const EIGHT_DAYS = 8 * 86_400;

/** DTM's barrier on Redis, for branches and local steps that do their work by one script. */
export function redisBarrier(redis: RedisClient, options: RedisBarrierOptions = {}): RedisBarrier {
  return new RedisBarrier(redis, options);
}

/** Made by {@link redisBarrier}. */
export class RedisBarrier implements Barrier {
  readonly #runner: ScriptRunner;
  readonly #scripts = new ScriptCache(underBarrier);
  readonly #steps = new ScriptCache(underKeepingBarrier);
  readonly #refuse = scriptOf(REFUSE);
  readonly #backCheck = scriptOf(BACK_CHECK);
  readonly #toTakeBack = scriptOf(TO_TAKE_BACK);
  readonly #expire: number;
  readonly #keyOf: (branch: Branch) => string;
  readonly #prefix: string;

  constructor(
    redis: RedisClient,
    { expireSeconds = EIGHT_DAYS, keyOf = ({ gid }) => gid, deadlineMs = 2_000 }: RedisBarrierOptions,
  ) {
    if (!(Number.isInteger(expireSeconds) && expireSeconds > 0))
      throw new DtmInvalidOption('expireSeconds', 'must be a whole number of seconds, more than 0');
    if (!(Number.isInteger(deadlineMs) && deadlineMs > 0))
      throw new DtmInvalidOption('deadlineMs', 'must be a whole number of milliseconds, more than 0');
    this.#runner = new ScriptRunner(redis, deadlineMs);
    this.#expire = expireSeconds;
    this.#keyOf = keyOf;
    this.#prefix = redis.options?.keyPrefix ?? '';
  }

  /** Runs a branch handler, which runs its script through `RedisTransaction`. */
  async call<T>({ branch, work, cancelled, signal, refuses }: BarrierCall<T>): Promise<BarrierOutcome<T>> {
    if (cancelled()) throw new Error('the caller gave up before the call began');
    const call = new RedisCall(branch, (script) => this.#execute(branch, script));
    try {
      return await orAbandon(
        signal,
        () => run(call, work),
        () => call.end(),
      );
    } catch (error) {
      if (!refuses?.(error)) throw error;
      // The compensation takes it back, but a repeat could only be told that it took effect.
      if (call.outcome?.ran) throw new Error('a branch refused behind its script, which took effect', { cause: error });
      return await this.#refuseFor(call, error);
    }
  }

  /** Makes a refusal final: by the script, which then has done so, or else here. Throws it, unless a repeat was faster. */
  async #refuseFor(call: RedisCall, error: unknown): Promise<NotRun> {
    const { branch } = call;
    const [keys, role] = this.#barrierKeys(branch, undefined);
    if (call.failed !== undefined || role !== 'undoable') throw error;
    const answer = await this.#runner.run(this.#refuse, keys, [branch.op, role, this.#expire, describe(error)]);
    const outcome = Array.isArray(answer) && answer[0] === 'refused' ? undefined : outcomeOf(answer);
    if (!outcome || outcome.ran) throw error;
    return notRun(outcome);
  }

  /**
   * Does a local step of a workflow: the script's value is kept with the mark. A repeat's `work` gets that from `run` again, as if
   * the script had run now, and so makes the same of it.
   */
  async step(branch: Branch, work: () => Promise<string>): Promise<StepOutcome> {
    const call = new RedisCall(branch, (script) => this.#execute(branch, untagged(script), this.#steps));
    const outcome = await run(call, work).catch((error: unknown) => {
      // Not a refusal even if it says so: to take the step back needs what `work` would have returned.
      if (call.outcome?.ran)
        throw new Error('a local step failed behind its script, which took effect', { cause: error });
      throw error;
    });
    return outcome.ran ? { done: true, result: outcome.value } : { done: false };
  }

  /** Takes a local step of a workflow back. */
  async stepBack(branch: Branch, work: () => Promise<void>): Promise<void> {
    const [keys] = this.#barrierKeys(branch, undefined);
    // Before `work` begins: of a step that came to nothing it has no value to work with.
    if ((await this.#runner.run(this.#toTakeBack, keys, [this.#expire])) === 0) return;
    await run(new RedisCall(branch, (script) => this.#execute(branch, untagged(script))), work);
  }

  /** The local step of a message: the script runs once per gid, or never. */
  local(script: RedisScript): LocalStep<unknown> {
    untagged(script);
    return {
      run: async (gid, server) => {
        assertGid(gid);
        const outcome = await this.#execute(localBranch(gid, server), script).catch((error) =>
          throwNotDone(error, gid),
        );
        if (outcome.ran) return { done: true, repeat: false, value: outcome.value };
        return outcome.why === 'rolled-back' ? { done: false, why: 'rolled-back' } : { done: true, repeat: true };
      },
      check: (gid, server) => this.backCheck(gid, server).catch((error) => throwNotDone(error, gid)),
      assertPossible: (gid) => {
        this.#keysOf(localBranch(gid), script);
      },
    };
  }

  /** Whether the local step of this gid was done; when not, it never will be. */
  async backCheck(gid: string, server?: string): Promise<'done' | 'rolled-back'> {
    assertGid(gid);
    const key = this.#key(localBranch(gid, server), 'msg', undefined);
    return (await this.#runner.run(this.#backCheck, [key], [this.#expire])) === 'rollback' ? 'rolled-back' : 'done';
  }

  async #execute(branch: Branch, script: RedisScript, scripts: ScriptCache = this.#scripts): Promise<ScriptOutcome> {
    const { role, all } = this.#keysOf(branch, script);
    const args = [branch.op, role, this.#expire, ...(script.args ?? [])];
    return outcomeOf(await this.#runner.run(scripts.get(script.script), all, args));
  }

  /**
   * All keys of a script, the barrier's first.
   *
   * @throws {DtmCrossSlot}
   */
  #keysOf(branch: Branch, { keys, hashTag }: RedisScript): { role: Role; all: string[] } {
    const [barrierKeys, role] = this.#barrierKeys(branch, hashTag);
    const all = [...barrierKeys, ...keys];
    assertOneSlot(all, this.#prefix, branch.gid);
    return { role, all };
  }

  /** That of the op, and of the one it takes back, or that takes it back. */
  #barrierKeys(branch: Branch, hashTag: string | undefined): [keys: string[], role: Role] {
    const [undone, undoing] = [undoneBy(branch.op), undoingOf(branch.transType, branch.op)];
    const other = undone ?? undoing;
    const keys = [branch.op, ...(other ? [other] : [])].map((op) => this.#key(branch, op, hashTag));
    return [keys, undone ? 'undoing' : undoing ? 'undoable' : 'single'];
  }

  /** `;` stands in no gid, so that no two branches share a key. */
  #key(branch: Branch, op: string, hashTag: string | undefined): string {
    const tag = hashTag === undefined ? '' : `{${hashTag}}`;
    const at = branch.server ? `;${branch.server}` : '';
    return `dtm:${tag}${this.#keyOf(branch)};${branch.branchId};${op}${at}`;
  }
}

type NotRun = Extract<BarrierOutcome<never>, { ran: false }>;

/** What a script under the barrier answered; throws its refusal. */
function outcomeOf(answer: unknown): ScriptOutcome {
  const [kind, value] = Array.isArray(answer) ? (answer as unknown[]) : [];
  switch (kind) {
    case 'done':
      return { ran: true, value };
    case 'null-compensation':
      return { ran: false, why: 'null-compensation' };
    case 'held':
      return { ran: false, why: value === 'rollback' ? 'rolled-back' : 'repeat' };
    case 'undone':
      return { ran: false, why: 'undone', reason: String(value) };
    case 'refused':
      throw new Refusal(String(value));
    default:
      throw new Error(`Redis answered a script with ${JSON.stringify(answer)}`);
  }
}

/** A script that did not run, as the barrier tells it. An undoing op's mark has its name, that of a refusal has its words. */
function notRun(outcome: Extract<ScriptOutcome, { ran: false }>): NotRun {
  const { why } = outcome;
  if (why === 'undone')
    return isUndoingOp(outcome.reason) ? { ran: false, why } : { ran: false, why, reason: outcome.reason };
  return { ran: false, why: why === 'null-compensation' ? why : 'repeat' };
}

/** Runs a handler, and tells what its script came to, whatever the handler made of that. */
async function run<T>(call: RedisCall, work: () => Promise<T>): Promise<BarrierOutcome<T>> {
  const result = await redisCall.run(call, work).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  call.end();
  if (call.failed !== undefined) throw call.failed;
  if (call.outcome && !call.outcome.ran) return notRun(call.outcome);
  if ('error' in result) throw result.error;
  if (!call.outcome) throw new DtmNoScript(call.branch.gid);
  return { ran: true, value: result.value };
}

/** Tells apart what certainly did nothing. */
function throwNotDone(error: unknown, gid: string): never {
  const why = refusedWrite(error);
  throw why === undefined ? error : new DtmNotDone(`Redis takes no writes (${why})`, { gid, cause: error });
}

/** Of a script whose mark is looked for by those who know only the branch: a back-check, or what takes a step back. */
function untagged(script: RedisScript): RedisScript {
  if (script.hashTag === undefined) return script;
  throw new DtmInvalidOption('hashTag', 'not in a local step, whose mark is found by the gid: put the hash tag there');
}
