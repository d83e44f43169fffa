/** The servers of the tests, which the benchmark uses too; see README. */
export const servers = {
  mysqlUrl: process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306',
  grpc: process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790',
  http: process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
};

export const signature = { keys: [{ id: 'bench', secret: 'the secret of the benchmark' }] };
