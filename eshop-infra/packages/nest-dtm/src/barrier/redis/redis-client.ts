/** What a script takes as key or argument. */
export type RedisValue = string | number | Buffer;

/** What is used of ioredis: a `Redis` or a `Cluster` of version 5 or 6 fits. */
export interface RedisClient {
  /** EVALSHA; rejects with a message that begins with NOSCRIPT when Redis has not seen the text. */
  evalsha(sha1: string, keyCount: number, ...keysAndArgs: RedisValue[]): Promise<unknown>;
  /** EVAL. */
  eval(script: string, keyCount: number, ...keysAndArgs: RedisValue[]): Promise<unknown>;
  /** A `keyPrefix` counts when hash slots are compared. */
  readonly options?: RedisClientOptions;
}

/** What is used of a connection's options. */
export interface RedisClientOptions {
  /** Put before every key by the connection. */
  readonly keyPrefix?: string;
}
