import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { freePort } from '../../src/testing/index.js';
import { type OwnProcess, onPath, ownProcess } from './own-process.js';

/** A MariaDB of one spec, with the database `app` and an account of that name that may write there only, and not on a replica. */
export interface OwnMariadb {
  readonly port: number;
  readonly server: OwnProcess;
  /** As root. */
  query<T = RowDataPacket>(sql: string): Promise<T[]>;
}

// Nothing of it must outlive the machine.
const QUICK = '--innodb-log-file-size=8M --innodb-flush-method=nosync --debug-no-sync --innodb-use-native-aio=OFF';
const INSTALL = `${QUICK} --auth-root-authentication-method=normal --skip-test-db`;
const START = `${QUICK} --innodb-buffer-pool-size=32M --performance-schema=OFF --skip-log-bin`;

export async function ownMariadb(): Promise<OwnMariadb> {
  const port = await freePort();
  const [install, daemon] = [onPath('mariadb-install-db', 'mysql_install_db'), onPath('mariadbd', 'mysqld')];
  const query = async <T>(sql: string): Promise<T[]> => {
    const connection = await createConnection({ host: '127.0.0.1', port, user: 'root', multipleStatements: true });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows as T[];
    } finally {
      connection.destroy();
    }
  };
  // A server that starts removes the temporary tables of all others that share its directory for them.
  const files = (dir: string) => `--no-defaults --user="$(id -un)" --datadir=${dir}/data --tmpdir=${dir}/tmp`;
  const script = (dir: string) =>
    `[ -d data ] || { mkdir tmp && ${install} ${files(dir)} ${INSTALL}; } || exit
exec ${daemon} ${files(dir)} --socket=${dir}/socket --bind-address=127.0.0.1 --port=${port} ${START}`;
  const server = await ownProcess(
    '/bin/sh',
    (dir) => ['-c', script(dir)],
    { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
    async () => (await query('SELECT 1')).length === 1,
  );
  await query(`CREATE DATABASE app CHARACTER SET utf8mb4;
    CREATE USER app IDENTIFIED BY ''; GRANT ALL ON app.* TO app`);
  return { port, server, query };
}
