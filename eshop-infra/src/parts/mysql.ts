import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { runLogged } from '../base/run-logged.ts';
import { which } from '../base/which.ts';
import type { Context } from '../context.ts';
import { databaseUsers } from './database-users.ts';
import type { Part } from './part.ts';

const dataDirectory = (context: Context) => join(context.paths.data, 'mysql');
/** A server that starts empties this directory of temporary tables: in a shared one it would take those of another instance. */
const temporaryDirectory = (context: Context) => join(context.paths.data, 'mysql-tmp');
const initFile = (context: Context) => join(context.paths.run, 'mysql-init.sql');
export const mysqlSocket = (context: Context) => join(context.paths.sockets, 'mysql.sock');
const server = () => which('mariadbd');
const isRoot = () => process.getuid?.() === 0;

/**
 * Run by the server itself before it listens, one statement a line: so it never listens without a password, and the
 * users are right again after a change.
 */
function initStatements(context: Context): string[] {
  const lines = [
    "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host NOT IN ('localhost', '%'))",
    'FLUSH PRIVILEGES',
  ];
  for (const host of ['localhost', '%']) {
    lines.push(
      `CREATE USER IF NOT EXISTS 'root'@'${host}'`,
      `ALTER USER 'root'@'${host}' IDENTIFIED BY '${context.secrets.mysqlRoot}'`,
      `GRANT ALL PRIVILEGES ON *.* TO 'root'@'${host}' WITH GRANT OPTION`,
    );
  }
  return [...lines, ...userStatements(context)];
}

/** Also run by each check, so that a service that is new in this checkout has its database without a restart. */
function userStatements(context: Context): string[] {
  return databaseUsers(context).flatMap(({ user, password, database }) => [
    `CREATE DATABASE IF NOT EXISTS \`${database}\` CHARACTER SET utf8mb4`,
    `CREATE USER IF NOT EXISTS '${user}'@'%'`,
    `ALTER USER '${user}'@'%' IDENTIFIED BY '${password}'`,
    `GRANT ALL PRIVILEGES ON \`${database.replaceAll('_', '\\_')}\`.* TO '${user}'@'%'`,
  ]);
}

const script = (statements: readonly string[]) => statements.map((statement) => `${statement};\n`).join('');

/** MariaDB on a private data directory, durable at each commit, for this machine only. */
export const mysqlPart: Part = {
  name: 'mysql',
  title: 'the databases: MariaDB, in containers MySQL 8.4',
  needs: [],
  ports: ['mysql'],
  readyMs: 60_000,
  graceMs: 30_000,

  async missingPackages() {
    if (server() && which('mariadb-install-db')) return [];
    return [
      { name: 'mariadb-server-core', pattern: '^mariadb-server-core-[0-9.]+$' },
      { name: 'mariadb-client-core', pattern: '^mariadb-client-core-[0-9.]+$' },
    ];
  },

  async prepare(context, step) {
    const data = dataDirectory(context);
    mkdirSync(temporaryDirectory(context), { recursive: true, mode: 0o700 });
    if (!existsSync(data)) {
      step.note('making the data directory');
      const fresh = `${data}.new`;
      rmSync(fresh, { recursive: true, force: true });
      mkdirSync(fresh, { recursive: true, mode: 0o700 });
      await runLogged({
        file: which('mariadb-install-db') ?? 'mariadb-install-db',
        args: [
          '--no-defaults',
          `--datadir=${fresh}`,
          `--tmpdir=${temporaryDirectory(context)}`,
          '--auth-root-authentication-method=normal',
          '--skip-test-db',
          '--skip-name-resolve',
          ...(isRoot() ? ['--user=root'] : []),
        ],
        log: join(context.paths.logs, 'install-mysql-data.log'),
        advice: 'Is the disk full? Otherwise remove the instance with "eshop reset" and try again.',
      });
      renameSync(fresh, data);
    }
    writeFileSync(initFile(context), script(initStatements(context)), { mode: 0o600 });
  },

  command(context) {
    return {
      file: server() ?? 'mariadbd',
      args: [
        '--no-defaults',
        `--datadir=${dataDirectory(context)}`,
        `--tmpdir=${temporaryDirectory(context)}`,
        `--port=${context.ports.mysql}`,
        '--bind-address=127.0.0.1',
        `--socket=${mysqlSocket(context)}`,
        `--pid-file=${join(context.paths.run, 'mariadbd.own-pid')}`,
        `--init-file=${initFile(context)}`,
        ...(isRoot() ? ['--user=root'] : []),
        '--skip-name-resolve',
        '--skip-log-bin',
        '--default-time-zone=+00:00',
        '--character-set-server=utf8mb4',
        '--collation-server=utf8mb4_unicode_ci',
        '--innodb-flush-log-at-trx-commit=1',
        '--innodb-buffer-pool-size=256M',
        '--innodb-log-file-size=128M',
        '--max-connections=500',
        '--max-allowed-packet=16M',
        '--table-open-cache=800',
        '--performance-schema=OFF',
        '--thread-handling=pool-of-threads',
        '--thread-pool-size=2',
      ],
    };
  },

  async check(context) {
    const connection = await mysql.createConnection({
      uri: context.mysqlRootUrl(),
      connectTimeout: 2_000,
      multipleStatements: true,
    });
    try {
      await connection.query(script(userStatements(context)));
      await connection.query('USE dtm');
      await connection.query(readFileSync(join(context.paths.infra, 'stack/sql/dtm.sql'), 'utf8'));
      await connection.query('SELECT gid FROM trans_global LIMIT 1');
    } finally {
      await connection.end();
    }
  },

  async probe(context) {
    const connection = await mysql.createConnection({ uri: context.mysqlRootUrl('dtm'), connectTimeout: 2_000 });
    try {
      await connection.query('SELECT gid FROM trans_global LIMIT 1');
    } finally {
      await connection.end();
    }
  },
};
