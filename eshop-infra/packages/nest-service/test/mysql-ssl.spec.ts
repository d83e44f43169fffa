import { readFileSync } from 'node:fs';
import { stockContract } from '@eshop/proto/stock';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Sql } from '../src/mysql/index.js';
import { startTestService, type TestService, testDatabase } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { Certificates } from './support/certificates.js';
import { type OwnMariadb, ownMariadb } from './support/own-mariadb.js';
import { startProcess } from './support/start-process.js';

describe('TLS to MySQL', () => {
  const certificates = new Certificates();
  let ca: string;
  let otherCa: string;
  /** Takes connections with TLS only; its certificate is for 127.0.0.1 and the name localhost. */
  let server: OwnMariadb;
  /** Its certificate is for another host. */
  let misnamed: OwnMariadb;
  let plain: OwnMariadb;
  let service: TestService<typeof AppConfig> | undefined;

  beforeAll(async () => {
    [ca, otherCa] = [certificates.authority('ours'), certificates.authority('theirs')];
    const withTls = ({ cert, key }: { cert: string; key: string }) =>
      ownMariadb(`--ssl-cert=${cert} --ssl-key=${key} --require-secure-transport=ON`);
    [server, misnamed, plain] = await Promise.all([
      withTls(certificates.server('db', 'ours', 'DNS:localhost,IP:127.0.0.1')),
      withTls(certificates.server('other', 'ours', 'DNS:db.example,IP:127.0.0.9')),
      ownMariadb('--skip-ssl'),
    ]);
    for (const { query } of [server, misnamed, plain]) await query('GRANT ALL ON *.* TO app');
  }, 120_000);
  afterEach(async () => {
    await service?.close();
    service = undefined;
  });
  afterAll(async () => {
    await Promise.all([server, misnamed, plain].map((one) => one?.remove()));
    certificates.remove();
  });

  async function start(mysql: object, { port } = server): Promise<string> {
    service = await startTestService(AppModule, {
      contract: stockContract,
      config: AppConfig,
      overrides: { mysql: { port, user: 'app', password: '', database: 'made', ...mysql } },
    });
    const [row] = await service.app.get(Sql).query<{ Value: string }>("SHOW SESSION STATUS LIKE 'Ssl_version'");
    return row?.Value ?? '';
  }

  // The server takes no other connections: making the database, the lock of migrations and the pool all have TLS.
  test.each([
    ['required', () => ({ ssl: 'required' })],
    ['verify, by the address', () => ({ ssl: 'verify', sslCa: ca })],
    ['verify, by the name', () => ({ ssl: 'verify', sslCa: ca, host: 'localhost' })],
    ['verify, with the authority’s text', () => ({ ssl: 'verify', sslCa: readFileSync(ca, 'utf8') })],
  ])('%s: the service starts, and makes its database', async (_, mysql) => {
    await server.query('DROP DATABASE IF EXISTS made');
    expect(await start(mysql())).toMatch(/^TLSv1\.[23]$/);
    expect(await server.query('SELECT name FROM made.migrations')).toHaveLength(2);
  });

  test.each([
    ['by default', {}],
    ['off', { ssl: 'off' }],
  ])('%s: connections have none', async (_, mysql) => {
    expect(await start(mysql, plain)).toBe('');
  });

  test('required: any certificate will do', async () => {
    expect(await start({ ssl: 'required' }, misnamed)).toMatch(/^TLSv1/);
  });

  test.each([
    [
      'another authority',
      () => ({ sslCa: otherCa }),
      () => server,
      /mysql\.ssl: verify, but the server is not accepted: .*certificate/,
    ],
    [
      'Node’s authorities',
      () => ({}),
      () => server,
      /mysql\.ssl: verify, but the server is not accepted: .*certificate/,
    ],
    [
      'another address',
      () => ({ sslCa: ca }),
      () => misnamed,
      /mysql\.ssl: verify, but the server is not accepted: .*127\.0\.0\.1/,
    ],
    ['another name', () => ({ sslCa: ca, host: 'localhost' }), () => misnamed, /not accepted: .*localhost/],
    ['no TLS', () => ({ sslCa: ca }), () => plain, /mysql\.ssl: verify, but the server has no TLS/],
    ['no TLS, required', () => ({ ssl: 'required' }), () => plain, /mysql\.ssl: required, but the server has no TLS/],
    ['no such file', () => ({ sslCa: '/nowhere.pem' }), () => server, /mysql\.sslCa: cannot be read: .*nowhere/],
    [
      'no certificate',
      () => ({ sslCa: 'package.json' }),
      () => server,
      /mysql\.sslCa: package\.json holds no certificate/,
    ],
  ])('verify refuses at once: %s', async (_, mysql, of, message) => {
    const started = performance.now();
    await expect(start({ ssl: 'verify', ...mysql() }, of())).rejects.toThrow(message);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('a process says so in one sentence; the authority may come by a file that a variable names', async () => {
    const mysql = { host: '127.0.0.1', port: server.port, user: 'app', password: '', database: 'made' };
    const env = { MYSQL_SSL: 'verify', MYSQL_SSL_CA: otherCa };
    await expect(startProcess({ ...mysql, ssl: 'verify', sslCa: '' }, env)).rejects.toThrow(
      /exit 1: [\s\S]*\nstock cannot start: .*MySQL at 127\.0\.0\.1.*\n {2}mysql\.ssl: verify, but .*\(environment: MYSQL_SSL\)\n/,
    );
    const right = { MYSQL_SSL: 'verify', MYSQL_SSL_CA_FILE: ca };
    const { child } = await startProcess({ ...mysql, ssl: 'verify', sslCa: '' }, right);
    child.kill('SIGKILL');
  });

  test('a test database is made on such a server', async () => {
    const before = process.env.TEST_MYSQL_URL;
    process.env.TEST_MYSQL_URL = `mysql://app@127.0.0.1:${server.port}?ssl=verify&sslCa=${encodeURIComponent(ca)}`;
    try {
      const database = await testDatabase();
      expect(database.mysql).toMatchObject({ ssl: 'verify', sslCa: ca });
      expect(await database.query("SHOW SESSION STATUS LIKE 'Ssl_version'")).toMatchObject([
        { Value: expect.stringMatching(/^TLS/) },
      ]);
      await database.drop();
    } finally {
      if (before === undefined) delete process.env.TEST_MYSQL_URL;
      else process.env.TEST_MYSQL_URL = before;
    }
  });
});
