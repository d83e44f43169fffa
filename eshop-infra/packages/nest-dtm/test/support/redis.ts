import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { env } from './env.js';

/** A connection to the tests' Redis, and a hash tag that no other spec uses; `close()` removes what carries the tag. */
export async function throwAwayRedis(): Promise<{ redis: Redis; tag: string; close(): Promise<void> }> {
  const redis = new Redis(env.redisUrl);
  const tag = `nest-dtm-${randomBytes(6).toString('hex')}`;
  return {
    redis,
    tag,
    close: async () => {
      for await (const keys of redis.scanStream({ match: `*{${tag}}*`, count: 1_000 })) {
        if (keys.length > 0) await redis.unlink(...(keys as string[]));
      }
      await redis.quit();
    },
  };
}
