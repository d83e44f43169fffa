import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { newGid } from '../../src/index.js';
import { env } from './env.js';

/** A counter of units, and how often each op took from it. */
interface CounterState {
  left: number;
  hits: Record<string, string>;
}

interface ThrowAwayRedis {
  redis: Redis;
  /** A hash tag that no other spec uses. */
  tag: string;
  /** A gid with the tag, which puts its mark beside the counters. */
  newGid(): string;
  /** Sets up a counter and returns its key. */
  counter(left?: number): Promise<string>;
  state(key: string): Promise<CounterState>;
  /** Removes what carries the tag, and disconnects. */
  close(): Promise<void>;
}

/** A connection to the tests' Redis. */
export async function throwAwayRedis(): Promise<ThrowAwayRedis> {
  const redis = new Redis(env.redisUrl);
  const tag = `nest-dtm-${randomBytes(6).toString('hex')}`;
  let counters = 0;
  return {
    redis,
    tag,
    newGid: () => `{${tag}}-${newGid()}`,
    counter: async (left = 10) => {
      const key = `{${tag}}:${++counters}`;
      await redis.set(key, left);
      return key;
    },
    state: async (key) => ({ left: Number(await redis.get(key)), hits: await redis.hgetall(`${key}:hits`) }),
    close: async () => {
      for await (const keys of redis.scanStream({ match: `*{${tag}}*`, count: 1_000 })) {
        if (keys.length > 0) await redis.unlink(...(keys as string[]));
      }
      await redis.quit();
    },
  };
}
