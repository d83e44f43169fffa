import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { barrierMigration, workflowMigration } from '../../src/index.js';
import { env } from './env.js';

/** A database of its own, with the barrier table and an `account` table; `drop()` removes it. */
export async function throwAwayDatabase(
  poolSize = 8,
): Promise<{ dataSource: DataSource; name: string; drop(): Promise<void> }> {
  const name = `nest_dtm_${randomBytes(6).toString('hex')}`;
  const admin = await new DataSource({ type: 'mysql', url: env.mysqlUrl }).initialize();
  await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const dataSource = await new DataSource({
    type: 'mysql',
    url: `${env.mysqlUrl}/${name}`,
    poolSize,
    migrations: [barrierMigration, workflowMigration],
  }).initialize();
  await dataSource.runMigrations();
  await dataSource.query(
    'CREATE TABLE account (name varchar(64) PRIMARY KEY, balance int NOT NULL, hits int NOT NULL DEFAULT 0) ENGINE=InnoDB',
  );
  return {
    dataSource,
    name,
    drop: async () => {
      await dataSource.destroy();
      await admin.query(`DROP DATABASE ${name}`);
      await admin.destroy();
    },
  };
}
