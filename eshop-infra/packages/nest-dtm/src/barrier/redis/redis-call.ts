import { AsyncLocalStorage } from 'node:async_hooks';
import type { Branch } from '../../branch/branch.js';
import type { RedisScript } from './redis-script.js';

/** What a script under the barrier came to. */
export type ScriptOutcome =
  | { ran: true; value: unknown }
  | { ran: false; why: 'repeat' | 'null-compensation' | 'rolled-back' }
  | { ran: false; why: 'undone'; reason: string };

/** Thrown into a handler whose script must not run: it ends there, and DTM is told of a success. */
export class BranchSkipped extends Error {
  constructor(why: string) {
    super(`nothing is to be done: ${why}`);
    this.name = 'BranchSkipped';
  }
}

/** One branch call under the Redis barrier, and what its one script came to. */
export class RedisCall {
  outcome: ScriptOutcome | undefined;
  /** Why the script had no effect that counts: a refusal, or an error of the store. */
  failed: unknown;
  #state: 'open' | 'used' | 'ended' = 'open';

  constructor(
    readonly branch: Branch,
    private readonly execute: (script: RedisScript) => Promise<ScriptOutcome>,
  ) {}

  async run(script: RedisScript): Promise<unknown> {
    if (this.#state === 'ended') throw new Error('the branch call has ended; was a promise not awaited?');
    if (this.#state === 'used')
      throw new Error('a branch runs one script: two could take effect one without the other');
    this.#state = 'used';
    try {
      this.outcome = await this.execute(script);
    } catch (error) {
      this.failed = error;
      throw error;
    }
    if (!this.outcome.ran) throw new BranchSkipped(this.outcome.why);
    return this.outcome.value;
  }

  /** No script may follow. */
  end(): void {
    this.#state = 'ended';
  }
}

/** The branch call the current code runs in. */
export const redisCall = new AsyncLocalStorage<RedisCall>();
