import { createHash } from 'node:crypto';
import type { RedisClient, RedisValue } from './redis-client.js';

/** More different texts than this come from values pasted into Lua; remembering them would only fill the memory. */
const MAX_KNOWN = 1_000;

/** Runs scripts by their digest, so that the text is sent only to a server that has not seen it. */
export class ScriptRunner {
  readonly #digests = new Map<string, string>();

  constructor(
    private readonly redis: RedisClient,
    private readonly deadlineMs: number,
  ) {}

  /** Rejects after the deadline, although the script may still run then. */
  async run(script: string, keys: readonly string[], args: readonly RedisValue[]): Promise<unknown> {
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

  async #send(script: string, keys: readonly string[], args: readonly RedisValue[]): Promise<unknown> {
    try {
      return await this.redis.evalsha(this.#digest(script), keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return this.redis.eval(script, keys.length, ...keys, ...args);
    }
  }

  #digest(script: string): string {
    let digest = this.#digests.get(script);
    if (digest === undefined) {
      digest = createHash('sha1').update(script).digest('hex');
      if (this.#digests.size >= MAX_KNOWN) this.#digests.clear();
      this.#digests.set(script, digest);
    }
    return digest;
  }
}
