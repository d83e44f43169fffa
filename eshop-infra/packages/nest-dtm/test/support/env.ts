/** Servers the tests use; see README. */
export const env = {
  mysqlUrl: process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306',
  dtmGrpc: process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790',
  dtmHttp: process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
  dtmRedisGrpc: process.env.TEST_DTM_REDIS_GRPC ?? '127.0.0.1:35790',
  dtmRedisHttp: process.env.TEST_DTM_REDIS_HTTP ?? 'http://127.0.0.1:35789',
  redisUrl: process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
  /** The DTM executable, for tests that kill or configure one of their own. */
  dtmBinary: process.env.TEST_DTM_BINARY ?? 'dtm',
};

/** A DTM server on each kind of store. */
export const stores = [
  { store: 'MySQL', grpc: env.dtmGrpc, http: env.dtmHttp },
  { store: 'Redis', grpc: env.dtmRedisGrpc, http: env.dtmRedisHttp },
] as const;
