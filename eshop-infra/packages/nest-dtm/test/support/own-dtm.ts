import { freePort } from '../../src/testing/index.js';
import { env } from './env.js';
import { type OwnProcess, ownProcess } from './own-process.js';

/** A DTM server of one spec. `store` are DTM's settings of its store, `STORE_DRIVER` and so on. */
export async function ownDtm(
  store: Record<string, string>,
  settings: Record<string, string> = {},
): Promise<{ grpc: string; http: string; server: OwnProcess }> {
  const [httpPort, grpcPort, jsonRpcPort] = [await freePort(), await freePort(), await freePort()];
  const http = `http://127.0.0.1:${httpPort}`;
  const server = await ownProcess(
    env.dtmBinary,
    () => [],
    {
      PATH: process.env.PATH,
      TZ: 'UTC',
      LOG_LEVEL: 'warn',
      TRANS_CRON_INTERVAL: '1',
      UPDATE_BRANCH_SYNC: '1',
      ...store,
      ...settings,
      HTTP_PORT: `${httpPort}`,
      GRPC_PORT: `${grpcPort}`,
      JSON_RPC_PORT: `${jsonRpcPort}`,
    },
    async () => (await fetch(`${http}/api/ping`)).ok,
  );
  return { grpc: `127.0.0.1:${grpcPort}`, http, server };
}

/** Where a DTM finds its tables in a database of the tests' MySQL. */
export function mysqlStore(database: string): Record<string, string> {
  const { hostname, port, username, password } = new URL(env.mysqlUrl);
  return {
    STORE_DRIVER: 'mysql',
    STORE_HOST: hostname,
    STORE_PORT: port || '3306',
    STORE_USER: username,
    STORE_PASSWORD: decodeURIComponent(password),
    STORE_DB: database,
    STORE_MAX_OPEN_CONNS: '4',
    STORE_MAX_IDLE_CONNS: '4',
  };
}

/** DTM's tables (columns as `sqls/dtmsvr.storage.mysql.sql` of DTM 1.18 has them). */
export const DTM_TABLES = [
  `CREATE TABLE trans_global (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, gid varchar(128) NOT NULL UNIQUE,
    trans_type varchar(45) NOT NULL, status varchar(12) NOT NULL, query_prepared varchar(1024) NOT NULL,
    protocol varchar(45) NOT NULL, create_time datetime, update_time datetime, finish_time datetime, rollback_time datetime,
    options varchar(1024) DEFAULT '', custom_data varchar(1024) DEFAULT '', next_cron_interval int, next_cron_time datetime,
    owner varchar(128) NOT NULL DEFAULT '', ext_data TEXT, result varchar(1024) DEFAULT '',
    rollback_reason varchar(1024) DEFAULT '', KEY (owner), KEY (status, next_cron_time)) ENGINE=InnoDB CHARSET=utf8mb4`,
  `CREATE TABLE trans_branch_op (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, gid varchar(128) NOT NULL,
    url varchar(1024) NOT NULL, data TEXT, bin_data BLOB, branch_id varchar(128) NOT NULL, op varchar(45) NOT NULL,
    status varchar(45) NOT NULL, finish_time datetime, rollback_time datetime, create_time datetime, update_time datetime,
    UNIQUE KEY (gid, branch_id, op)) ENGINE=InnoDB CHARSET=utf8mb4`,
  `CREATE TABLE kv (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, cat varchar(45) NOT NULL, k varchar(128) NOT NULL, v TEXT,
    version bigint DEFAULT 1, create_time datetime, update_time datetime, UNIQUE KEY (cat, k)) ENGINE=InnoDB CHARSET=utf8mb4`,
];
