/** Where the servers are. `eval "$(eshop env)"` sets the variables with TEST_ to those of the native stack. */
export const env = {
  dtmGrpc: process.env.DTM_GRPC ?? process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790',
  dtmHttp: process.env.DTM_HTTP ?? process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
  mysqlUrl: process.env.MYSQL_URL ?? process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306',
  /** Made by the example, and left there. */
  mysqlDatabase: process.env.MYSQL_DATABASE ?? 'nest_dtm_example',
  redisUrl: process.env.REDIS_URL ?? process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
};

/** Shared by those who submit and those who serve branches. */
export const signature = { keys: [{ id: 'example', secret: 'not the one of production' }] };
