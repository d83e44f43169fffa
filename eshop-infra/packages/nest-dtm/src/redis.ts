// Barrier on Redis: `@eshop/nest-dtm/redis`.
export { adjustAmount } from './barrier/redis/adjust-amount.js';
export { DtmCrossSlot } from './barrier/redis/hash-slot.js';
export { DtmNoScript } from './barrier/redis/no-script.js';
export { type RedisBarrier, type RedisBarrierOptions, redisBarrier } from './barrier/redis/redis-barrier.js';
export type { RedisClient, RedisClientOptions, RedisValue } from './barrier/redis/redis-client.js';
export type { RedisScript } from './barrier/redis/redis-script.js';
export { RedisTransaction } from './barrier/redis/redis-transaction.js';
export { refusedWrite } from './barrier/redis/refused-write.js';
