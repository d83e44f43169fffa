/** What the test gives an application. */
export const environment = {
  dtmGrpc: process.env.DTM_GRPC ?? '',
  dtmHttp: process.env.DTM_HTTP ?? '',
  mysqlUrl: process.env.MYSQL_URL ?? '',
  redisUrl: process.env.REDIS_URL ?? '',
  port: Number(process.env.PORT),
};
