import type { Connection, RowDataPacket } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import { fromDatabaseError } from '../errors/database-error.js';
import { connectionSettings } from './connection-settings.js';
import type { MysqlConfig } from './section.js';

const UNKNOWN_DATABASE = 1049;
const RETRY_MS = 500;

/**
 * Connects to the service's database while holding a lock of its name, so that instances that start together migrate
 * one after the other. Waits for the server, and makes the database where it is missing.
 */
export async function withMigrationLock<T>(config: MysqlConfig, work: () => Promise<T>): Promise<T> {
  const connection = await connect(config, Date.now() + config.startTimeoutMs);
  const name = `migrations:${config.database}`.slice(0, 64);
  try {
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

async function connect(config: MysqlConfig, until: number): Promise<Connection> {
  for (;;) {
    try {
      return await createConnection(connectionSettings(config));
    } catch (error) {
      if (config.createDatabase && (error as { errno?: number }).errno === UNKNOWN_DATABASE) {
        await createDatabase(config);
      } else if (fromDatabaseError(error)?.code !== 'UNAVAILABLE' || Date.now() > until) {
        throw error;
      } else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
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
