/** What a script takes as key or argument. */
export type RedisValue = string | number | Buffer;

/** What is used of ioredis: a `Redis` or a `Cluster` of version 5 or 6 fits. */
export interface RedisClient {
  evalsha(sha1: string, keyCount: number, ...keysAndArgs: RedisValue[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysAndArgs: RedisValue[]): Promise<unknown>;
  /** A `keyPrefix` counts when hash slots are compared. */
  readonly options?: { readonly keyPrefix?: string };
}
