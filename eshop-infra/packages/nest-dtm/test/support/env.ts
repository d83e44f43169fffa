/** Servers the tests use; see README. */
export const env = {
  mysqlUrl: process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306',
  dtmGrpc: process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790',
  dtmHttp: process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
  redisUrl: process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
};
