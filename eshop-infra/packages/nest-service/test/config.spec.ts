import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { redactConfig } from '../src/config/index.js';
import { ConfigError, type ConfigIssue, dtmSection, loadConfig, secret } from '../src/index.js';
import { mysqlSection } from '../src/mysql/index.js';

const contract = { name: 'stock', httpPort: 30380, grpcPort: 30382 };
const schema = z.object({
  mysql: mysqlSection,
  dtm: dtmSection.optional(),
  order: z
    .object({
      amount: z.enum(['verify', 'compute', 'trust']).default('compute'),
      brokers: z.array(z.string()).default([]),
      fast: z.boolean().default(false),
      pin: secret().optional(),
    })
    .prefault({}),
});
const MYSQL = 'mysql: { user: stock, password: "", database: eshop_stock }\n';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function file(text: string): string {
  const path = join(directory, `${files++}.yaml`);
  writeFileSync(path, text);
  return path;
}

const load = (yaml: string, env: Record<string, string> = {}) =>
  loadConfig({ contract, config: schema, file: file(yaml), env });

function issuesOf(work: () => unknown): readonly ConfigIssue[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  throw new Error('accepted');
}

describe('configuration', () => {
  test('has a default for every setting of the base, ports from the contract', () => {
    const { config } = load(MYSQL);
    expect(config.app).toEqual({ name: 'stock', version: '0.0.0', env: 'development' });
    expect(config.http).toEqual({
      host: '0.0.0.0',
      port: 30380,
      bodyLimit: 1048576,
      requestTimeoutMs: 30000,
      showConfig: true,
      maxInFlight: 6_000,
      maxConnections: 16_000,
    });
    expect(config.grpc.port).toBe(30382);
    expect(config.order).toEqual({ amount: 'compute', brokers: [], fast: false });
  });

  test('names every wrong, missing and unknown setting at once', () => {
    const yaml =
      'http: { port: eighty, prot: 1 }\nlog: { level: loud }\nmysql: { user: x, password: "", poolSize: 0 }\norder: { amount: any }\nextra: 1\n';
    const error = issuesOf(() => load(yaml));
    expect(error.map((issue) => issue.path).sort()).toEqual([
      'extra',
      'http.port',
      'http.prot',
      'log.level',
      'mysql.database',
      'mysql.poolSize',
      'order.amount',
    ]);
    expect(error.find((issue) => issue.path === 'mysql.poolSize')?.env).toBe('MYSQL_POOL_SIZE');
  });

  test('takes every setting from the environment by its path', () => {
    const { config } = load(`${MYSQL}http: { port: 1 }\ngrpcClients: { flashSale: { address: a:1 } }\n`, {
      HTTP_PORT: '8081',
      HTTP_BODY_LIMIT: '2048',
      MYSQL_POOL_SIZE: '3',
      ORDER_AMOUNT: 'trust',
      ORDER_BROKERS: 'a:1, b:2',
      ORDER_FAST: 'true',
      GRPC_CLIENTS_FLASH_SALE_ADDRESS: 'b:2',
      GRPC_CLIENTS_STOCK_ADDRESS: 'c:3',
      GRPC_CLIENTS_STOCK_DEADLINE_MS: '50',
    });
    expect(config.http).toMatchObject({ port: 8081, bodyLimit: 2048 });
    expect(config.mysql.poolSize).toBe(3);
    expect(config.order).toEqual({ amount: 'trust', brokers: ['a:1', 'b:2'], fast: true });
    expect(config.grpcClients).toEqual({
      flashSale: { address: 'b:2', deadlineMs: 3000, retries: 2 },
      stock: { address: 'c:3', deadlineMs: 50, retries: 2 },
    });
  });

  test('a section that is optional comes into being by the environment alone', () => {
    expect(load(MYSQL).config.dtm).toBeUndefined();
    const env = { DTM_GRPC: 'a:1', DTM_HTTP: 'http://a:2', DTM_SECRET: 's' };
    expect(load(MYSQL, env).config.dtm).toEqual({ grpc: 'a:1', http: 'http://a:2', secret: 's' });
  });

  test('a wrong value in the environment is reported with its variable', () => {
    const issues = issuesOf(() => load(MYSQL, { HTTP_PORT: 'x', ORDER_FAST: 'yes' }));
    expect(issues.map(({ env }) => env)).toEqual(['HTTP_PORT', 'ORDER_FAST']);
  });

  test('X_FILE names a file with the value', () => {
    const secretFile = file('s3cret\n');
    expect(load(MYSQL, { MYSQL_PASSWORD_FILE: secretFile }).config.mysql.password).toBe('s3cret');
    const issues = issuesOf(() => load(MYSQL, { MYSQL_PASSWORD_FILE: join(directory, 'missing') }));
    expect(issues[0]).toMatchObject({ path: 'mysql.password', env: 'MYSQL_PASSWORD_FILE' });
  });

  test('development defaults serve in development and are refused in production', () => {
    const yaml = 'mysql: { user: stock, password: !dev 123456, database: eshop_stock, poolSize: !dev 2 }\n';
    expect(load(yaml).config.mysql).toMatchObject({ password: '123456', poolSize: 2 });
    const issues = issuesOf(() => load(yaml, { NODE_ENV: 'production', MYSQL_POOL_SIZE: '4' }));
    expect(issues).toEqual([
      { path: 'mysql.password', env: 'MYSQL_PASSWORD', message: expect.stringContaining('development default') },
    ]);
    const env = { NODE_ENV: 'production', MYSQL_POOL_SIZE: '4', MYSQL_PASSWORD: 'x' };
    expect(load(yaml, env).config.mysql).toMatchObject({ password: 'x', poolSize: 4 });
  });

  test('a file named that is missing, and YAML that is none, are errors', () => {
    expect(issuesOf(() => loadConfig({ contract, env: { CONFIG_FILE: join(directory, 'none') } }))).toHaveLength(1);
    expect(issuesOf(() => load('a: [1'))[0]?.path).toMatch(/^line/);
    expect(issuesOf(() => load('- 1'))[0]?.message).toBe('must be a mapping');
  });

  test('secrets are not shown', () => {
    const env = { MYSQL_PASSWORD: 'p4', ORDER_PIN: '1234', DTM_GRPC: 'a:1', DTM_HTTP: 'http://a:2', DTM_SECRET: 's' };
    const { config, schema: whole } = load(MYSQL, env);
    const shown = redactConfig(whole, config);
    expect(shown).toMatchObject({
      mysql: { password: '***', user: 'stock' },
      order: { pin: '***' },
      dtm: { secret: '***' },
    });
    expect(JSON.stringify(shown)).not.toMatch(/p4|1234/);
  });
});
