import { refusedWrite } from '@eshop/nest-dtm/redis';
import type { Redis } from 'ioredis';

/** The key goes by itself when nobody asks any more. */
const KEPT_SECONDS = 60;

/**
 * Whether Redis takes writes: by one, since no question tells of all that may be in its way (a replica, too few replicas, no memory, no
 * disk). Rejects with the code of the refusal.
 */
export async function assertTakesWrites(redis: Redis, key: string): Promise<void> {
  try {
    await redis.set(key, Date.now(), 'EX', KEPT_SECONDS);
  } catch (error) {
    const code = refusedWrite(error);
    throw code === undefined
      ? error
      : Object.assign(new Error(`Redis takes no writes: ${code}`, { cause: error }), { code });
  }
}
