import { barrierMigration } from '@eshop/nest-dtm/mysql';
import { DataSource } from 'typeorm';
import { env } from '../env.js';

/** The bank's database, with the barrier table beside its own. */
export async function database(): Promise<DataSource> {
  const admin = await new DataSource({ type: 'mysql', url: env.mysqlUrl }).initialize();
  await admin.query(`CREATE DATABASE IF NOT EXISTS ${env.mysqlDatabase}`);
  await admin.destroy();
  const dataSource = await new DataSource({
    type: 'mysql',
    url: `${env.mysqlUrl}/${env.mysqlDatabase}`,
    migrations: [barrierMigration],
  }).initialize();
  await dataSource.runMigrations();
  await dataSource.query('CREATE TABLE IF NOT EXISTS account (name varchar(64) PRIMARY KEY, cents bigint NOT NULL)');
  await dataSource.query("REPLACE INTO account VALUES ('ann', 1000), ('bob', 0)");
  return dataSource;
}
