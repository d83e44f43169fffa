import type { PoolOptions } from 'mysql2';
import { DataSource, type DataSourceOptions, type MigrationInterface, type ObjectLiteral } from 'typeorm';
import { connectionSettings } from './connection-settings.js';
import { createBoundedPool } from './pool.js';
import { withMigrationLock } from './prepare-database.js';
import type { MysqlConfig } from './section.js';

type Class<T> = new () => T;

export interface MysqlSchema {
  /** Entity classes; each can be injected as a repository. */
  readonly entities: readonly Class<ObjectLiteral>[];
  /** In the order they run; class names end in a 13-digit timestamp. */
  readonly migrations: readonly Class<MigrationInterface>[];
}

/** Options of the service's own beside TypeORM's. */
export type ServiceDataSourceOptions = DataSourceOptions & {
  /** Bytes that a page of a list may have. */
  readonly maxPageBytes: number;
};

/** TypeORM on a bounded mysql2 pool. */
export function dataSourceOptions(
  config: MysqlConfig,
  { entities, migrations }: MysqlSchema,
): ServiceDataSourceOptions {
  const { user, connectTimeout, stream, ...settings } = connectionSettings(config);
  return {
    type: 'mysql',
    ...settings,
    username: user,
    connectTimeout,
    poolSize: config.poolSize,
    entities: [...entities],
    migrations: [...migrations],
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    maxPageBytes: config.maxPageBytes,
    extra: {
      ...{ queueLimit: config.queueLimit, enableKeepAlive: true, maxPreparedStatements: 500 },
      ...(stream && { stream }),
    },
    driver: {
      createPool: (options: PoolOptions) => createBoundedPool(options, config.acquireTimeoutMs),
    },
  };
}

/** Connects, and brings the database to the newest migration under a lock. */
export function openDatabase(config: MysqlConfig, options: DataSourceOptions): Promise<DataSource> {
  return withMigrationLock(config, async () => {
    const source = await new DataSource(options).initialize();
    try {
      await source.runMigrations();
      return source;
    } catch (error) {
      await source.destroy();
      throw error;
    }
  });
}
