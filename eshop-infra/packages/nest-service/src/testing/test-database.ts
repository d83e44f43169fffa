import { randomUUID } from 'node:crypto';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { connectionSettings } from '../mysql/connection-settings.js';
import { type MysqlConfig, mysqlSection } from '../mysql/section.js';

/** A database of a test's own. */
export interface TestDatabase {
  /** As the configuration section `mysql` wants it. */
  readonly mysql: Pick<MysqlConfig, 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl' | 'sslCa'>;
  readonly url: string;
  /** Rows of any statement, on a connection apart from the service's. */
  query<T extends object>(text: string, values?: readonly unknown[]): Promise<T[]>;
  drop(): Promise<void>;
}

/**
 * Makes a database with a random name on TEST_MYSQL_URL (default mysql://root@127.0.0.1:3306, needs all rights). `?ssl=…&sslCa=…` of the
 * URL are the settings of the section `mysql`.
 */
export async function testDatabase(prefix = 'test'): Promise<TestDatabase> {
  const server = new URL(process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306');
  const database = `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const account = {
    host: server.hostname,
    port: Number(server.port || 3306),
    user: decodeURIComponent(server.username || 'root'),
    password: decodeURIComponent(server.password),
    ...mysqlSection.pick({ ssl: true, sslCa: true }).parse(Object.fromEntries(server.searchParams)),
  };
  const { database: _, ...settings } = connectionSettings(mysqlSection.parse({ ...account, database }));
  const connection = await createConnection(settings);
  await connection.query(`CREATE DATABASE \`${database}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  await connection.query(`USE \`${database}\``);
  await connection.query("SET time_zone = '+00:00'");
  const url = new URL(server);
  url.pathname = `/${database}`;
  return {
    mysql: { ...account, database },
    url: url.href,
    query: async <T extends object>(text: string, values: readonly unknown[] = []) => {
      const [rows] = await connection.query<RowDataPacket[]>(text, [...values]);
      return rows as unknown as T[];
    },
    drop: async () => {
      await connection.query(`DROP DATABASE IF EXISTS \`${database}\``);
      await connection.end();
    },
  };
}
