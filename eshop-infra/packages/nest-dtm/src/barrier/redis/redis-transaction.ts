import { Injectable } from '@nestjs/common';
import type { Branch } from '../../branch/branch.js';
import { type RedisCall, redisCall } from './redis-call.js';
import type { RedisScript } from './redis-script.js';

/**
 * How a branch, or a workflow's local step, takes effect under the Redis barrier. Inject it wherever the script is; it needs not be
 * handed along.
 */
@Injectable()
export class RedisTransaction {
  /**
   * Runs the branch's script together with the barrier, once in a call, and resolves with what it returned. A branch that has
   * nothing to do any more does not come back from here, and what stands behind is not reached.
   *
   * @throws {Refusal} the script refused
   * @throws {DtmCrossSlot} the keys are not of one hash slot
   */
  run<T = unknown>(script: RedisScript): Promise<T> {
    return this.#call().run(script) as Promise<T>;
  }

  /** The branch call. */
  get branch(): Branch {
    return this.#call().branch;
  }

  /** Whether the current code runs in a branch call under the Redis barrier. */
  get active(): boolean {
    return redisCall.getStore() !== undefined;
  }

  #call(): RedisCall {
    const call = redisCall.getStore();
    if (!call) throw new Error('RedisTransaction is used outside of a branch call under the Redis barrier');
    return call;
  }
}
