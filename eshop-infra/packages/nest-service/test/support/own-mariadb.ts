import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '@eshop/nest-dtm/testing';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { eventually } from '../../src/testing/index.js';

/** A MariaDB of one spec, with the database `app` and an account of that name that may write there only, and not on a replica. */
export interface OwnMariadb {
  readonly port: number;
  /** As root, through the server's socket. */
  query<T = RowDataPacket>(sql: string): Promise<T[]>;
  /** Kills it and removes its files. */
  remove(): Promise<void>;
}

const PATH = `${process.env.PATH}${delimiter}/usr/sbin${delimiter}/usr/local/sbin`;
// Nothing of it must outlive the machine.
const QUICK = '--innodb-log-file-size=8M --innodb-flush-method=nosync --debug-no-sync --innodb-use-native-aio=OFF';
const INSTALL = `${QUICK} --auth-root-authentication-method=normal --skip-test-db`;
const START = `${QUICK} --innodb-buffer-pool-size=32M --performance-schema=OFF --skip-log-bin`;

export async function ownMariadb(options = ''): Promise<OwnMariadb> {
  const [dir, port] = [await mkdtemp(join(tmpdir(), 'nest-service-')), await freePort()];
  // A server that starts removes the temporary tables of all others that share its directory for them.
  await mkdir(join(dir, 'tmp'));
  const user = `--no-defaults --user="$(id -un)" --datadir=${dir}/data --tmpdir=${dir}/tmp`;
  const script = `${program('mariadb-install-db', 'mysql_install_db')} ${user} ${INSTALL} || exit
exec ${program('mariadbd', 'mysqld')} ${user} --socket=${dir}/socket --bind-address=127.0.0.1 --port=${port} ${START} ${options}`;
  const server = spawn('/bin/sh', ['-c', script], { cwd: dir, env: { ...process.env, PATH }, stdio: 'ignore' });
  const ended = once(server, 'exit');
  // One that a failed set-up has left behind does not keep the tests from ending.
  server.unref();
  const query = async <T>(sql: string): Promise<T[]> => {
    const connection = await createConnection({ socketPath: `${dir}/socket`, user: 'root', multipleStatements: true });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows as T[];
    } finally {
      connection.destroy();
    }
  };
  const remove = async (): Promise<void> => {
    server.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  let last: unknown;
  const answers = () =>
    query('SELECT 1').catch((error: unknown) => {
      last = error;
      return undefined;
    });
  await eventually(answers, 'MariaDB to be ready', 60_000).catch(async (error: unknown) => {
    await remove();
    throw new Error(`${String(error)}: ${String(last)}`);
  });
  await query(`CREATE DATABASE app CHARACTER SET utf8mb4;
    CREATE USER app IDENTIFIED BY ''; GRANT ALL ON app.* TO app`);
  return { port, query, remove };
}

/** The first of these programs that there is. */
function program(...names: string[]): string {
  for (const name of names) {
    for (const dir of PATH.split(delimiter)) if (existsSync(join(dir, name))) return join(dir, name);
  }
  throw new Error(`none of ${names.join(', ')} is on the PATH`);
}
