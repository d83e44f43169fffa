import { randomBytes } from 'node:crypto';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { barrierMigration } from '../barrier/create-barrier-table.js';

/** A database of one spec. */
export interface ThrowAwayDatabase {
  /** Connected to the database. */
  dataSource: DataSource;
  /** Name of the database. */
  name: string;
  /** Closes the connections and removes the database. */
  drop(): Promise<void>;
}

/**
 * Makes a database with a random name and the barrier table in it.
 *
 * @param url `mysql://user:password@host:port` of an account that may create databases
 * @param options of the DataSource, such as `poolSize`, `entities` or more `migrations` (classes), which are run
 */
export async function throwAwayDatabase(
  url: string,
  options: Omit<DataSourceOptions, 'type' | 'migrations'> & { migrations?: (new () => object)[] } = {},
): Promise<ThrowAwayDatabase> {
  // Loaded only where it is wanted: a service with branches in Redis has no TypeORM.
  const typeorm = await import('typeorm');
  const name = `nest_dtm_${randomBytes(6).toString('hex')}`;
  const admin = await new typeorm.DataSource({ type: 'mysql', url }).initialize();
  await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const drop = async (): Promise<void> => {
    await admin.query(`DROP DATABASE ${name}`);
    await admin.destroy();
  };
  const own = new URL(url);
  own.pathname = name;
  const migrations = [barrierMigration, ...(options.migrations ?? [])];
  const all = { ...options, type: 'mysql', url: own.href, migrations } as DataSourceOptions;
  const dataSource = new typeorm.DataSource(all);
  try {
    await dataSource.initialize();
    await dataSource.runMigrations();
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    await drop();
    throw error;
  }
  return {
    dataSource,
    name,
    drop: async () => {
      await dataSource.destroy();
      await drop();
    },
  };
}
