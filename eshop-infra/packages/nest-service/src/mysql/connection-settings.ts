import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import type { ConnectionOptions, SslOptions } from 'mysql2';
import { ConfigError } from '../config/config-error.js';
import { envName } from '../config/environment.js';
import type { MysqlConfig } from './section.js';

/** How every connection is made: UTC, four-byte UTF-8, ids as numbers, TLS as it is set. */
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
    ...tls(config),
  } satisfies ConnectionOptions;
}

/** The setting `mysql.<key>` is wrong. */
export function wrongSetting({ host, port }: MysqlConfig, key: 'ssl' | 'sslCa', message: string): ConfigError {
  const path = ['mysql', key];
  return new ConfigError([{ path: path.join('.'), env: envName(path), message }], `MySQL at ${host}:${port}`);
}

function tls(config: MysqlConfig): { ssl?: SslOptions; stream?: () => Socket } {
  if (config.ssl === 'off') return {};
  if (config.ssl === 'required') return { ssl: { rejectUnauthorized: false } };
  const ca = config.sslCa === '' ? undefined : authorities(config);
  const ssl = { rejectUnauthorized: true, verifyIdentity: true, ...(ca !== undefined && { ca }) };
  return isIP(config.host) ? { ssl, stream: () => namedSocket(config) } : { ssl };
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----';

function authorities(config: MysqlConfig): string {
  const { sslCa } = config;
  if (sslCa.includes(CERTIFICATE)) return sslCa;
  let text: string;
  try {
    text = readFileSync(sslCa, 'utf8');
  } catch (error) {
    throw wrongSetting(config, 'sslCa', `cannot be read: ${String(error)}`);
  }
  if (!text.includes(CERTIFICATE)) throw wrongSetting(config, 'sslCa', `${sslCa} holds no certificate in PEM form`);
  return text;
}

/**
 * A socket that bears the address it goes to, as Node gives it to those that go to a name. For a socket without, TLS would look for a
 * certificate of "localhost".
 */
function namedSocket({ host, port }: MysqlConfig): Socket {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  return Object.assign(socket, { _host: host });
}
