import type { DataSourceOptions } from 'typeorm';
import { workflowMigration } from '../../src/mysql.js';
import { throwAwayDatabase as newDatabase, type ThrowAwayDatabase } from '../../src/testing/mysql.js';
import { env } from './env.js';

/** A database of its own, with the library's tables and an `account` table; `drop()` removes it. */
export async function throwAwayDatabase(
  poolSize = 8,
  options: Pick<DataSourceOptions, 'entities'> = {},
): Promise<ThrowAwayDatabase> {
  const database = await newDatabase(env.mysqlUrl, { ...options, poolSize, migrations: [workflowMigration] });
  await database.dataSource.query(
    'CREATE TABLE account (name varchar(64) PRIMARY KEY, balance int NOT NULL, hits int NOT NULL DEFAULT 0) ENGINE=InnoDB',
  );
  return database;
}
