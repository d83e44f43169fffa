import type { ConnectionOptions } from 'mysql2';
import type { MysqlConfig } from './section.js';

/** How every connection is made: UTC, four-byte UTF-8, ids as numbers. */
export function connectionSettings(config: MysqlConfig) {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.database,
    charset: 'utf8mb4_unicode_ci',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: false,
    connectTimeout: config.connectTimeoutMs,
  } satisfies ConnectionOptions;
}
