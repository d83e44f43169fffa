import type { RedisValue } from './redis-client.js';

/** What a branch or a local step does to Redis, in one script. */
export interface RedisScript {
  /** Keys the script touches, `KEYS[1]` and so on to it. All of one hash slot, the barrier's own included. */
  keys: readonly string[];
  /** `ARGV[1]` and so on. Default none. */
  args?: readonly RedisValue[];
  /**
   * Lua 5.1. It runs only when it has to: a repeat, a compensation of nothing and an action that comes after its compensation
   * do not reach it. What it returns is what `run` resolves with. Three rules:
   *
   * - `return refuse('why')` is the business saying no: the branch is refused, and nothing is remembered of it.
   * - Look first, write last: Redis takes back nothing of a script that refuses or fails half-way.
   * - `op` holds the op of the call, for a script that serves an action and its compensation.
   *
   * Keep the text the same from call to call and hand values in as `args`: Redis keeps each text it has seen.
   */
  script: string;
  /**
   * Hash tag of the barrier's keys, without braces, where neither the gid nor `keyOf` has one. An action and its compensation
   * must have the same.
   */
  hashTag?: string;
}
