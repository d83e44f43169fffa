import type { RedisClient, RedisValue } from './redis-client.js';
import type { Script } from './script-cache.js';

/** Runs scripts by their digest, so that the text is sent only to a server that has not seen it. */
export class ScriptRunner {
  constructor(
    private readonly redis: RedisClient,
    private readonly deadlineMs: number,
  ) {}

  /** Rejects after the deadline, although the script may still run then. */
  async run(script: Script, keys: readonly string[], args: readonly RedisValue[]): Promise<unknown> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`no answer from Redis within ${this.deadlineMs} ms`)),
      this.deadlineMs,
    );
    try {
      return await Promise.race([this.#send(script, keys, args), promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #send({ text, digest }: Script, keys: readonly string[], args: readonly RedisValue[]): Promise<unknown> {
    try {
      return await this.redis.evalsha(digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return this.redis.eval(text, keys.length, ...keys, ...args);
    }
  }
}
