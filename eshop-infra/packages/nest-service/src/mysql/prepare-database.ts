import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import { fromDatabaseError } from '../errors/database-error.js';
import { connectionSettings, wrongSetting } from './connection-settings.js';
import type { MysqlConfig } from './section.js';
import { assertTakesWrites, ReadOnlyServer } from './takes-writes.js';

const UNKNOWN_DATABASE = 1049;
const RETRY_MS = 500;

/**
 * Connects to the service's database while holding a lock of its name, so that instances that start together migrate
 * one after the other. Waits for the server, also for one that takes no writes yet or no longer, and makes the database where it is
 * missing.
 *
 * @throws ConfigError the server is not one that `mysql.ssl` allows
 */
export async function withMigrationLock<T>(config: MysqlConfig, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + config.startTimeoutMs;
  for (;;) {
    try {
      return await attempt(config, work);
    } catch (error) {
      const passes = error instanceof ReadOnlyServer || fromDatabaseError(error)?.code === 'UNAVAILABLE';
      if (!passes || Date.now() > until) throw error;
      await delay(RETRY_MS);
    }
  }
}

async function attempt<T>(config: MysqlConfig, work: () => Promise<T>): Promise<T> {
  const connection = await connect(config);
  const name = `migrations:${config.database}`.slice(0, 64);
  try {
    await assertTakesWrites(connection);
    await lock(connection, name, config.startTimeoutMs);
    return await work();
  } finally {
    // Ends the lock as well.
    await connection.end().catch(() => connection.destroy());
  }
}

async function lock(connection: Connection, name: string, timeoutMs: number): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS got', [name, timeoutMs / 1000]);
  if (rows[0]?.got !== 1) throw new Error(`another instance holds the migration lock ${name} for too long`);
}

async function connect(config: MysqlConfig): Promise<Connection> {
  const settings = connectionSettings(config);
  try {
    return await createConnection(settings);
  } catch (error) {
    if (!config.createDatabase || (error as { errno?: number }).errno !== UNKNOWN_DATABASE)
      throw asSslError(config, error);
    await createDatabase(config);
    return createConnection(settings);
  }
}

/** An error of TLS in words that help, since no waiting does; others as they are. */
function asSslError(config: MysqlConfig, error: unknown): unknown {
  const { code, message, syscall } = error as { code?: unknown; message?: string; syscall?: string };
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT')
    return wrongSetting(config, 'ssl', `${config.ssl}, but the server has no TLS`);
  // A server that ends in the middle of the handshake may come back.
  const broken = syscall !== undefined || /disconnected|ECONNRESET/.test(message ?? '');
  if (code !== 'HANDSHAKE_SSL_ERROR' || broken) return error;
  return wrongSetting(config, 'ssl', `${config.ssl}, but the server is not accepted: ${message}`);
}

async function createDatabase(config: MysqlConfig): Promise<void> {
  const { database, ...server } = connectionSettings(config);
  const connection = await createConnection(server);
  try {
    await connection.query(
      `CREATE DATABASE IF NOT EXISTS \`${database}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    );
  } finally {
    await connection.end();
  }
}
