import { stockContract } from '@eshop/proto/stock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { toContractError } from '../src/index.js';
import { Sql } from '../src/mysql/index.js';
import { eventually, send, startTestService, type TestService } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { type OwnMariadb, ownMariadb } from './support/own-mariadb.js';
import { type TcpProxy, tcpProxy } from './support/tcp-proxy.js';

const POOL = 4;
const FIVE_SECONDS = 5_000;
const INSERT = "INSERT INTO note (note_title, size) VALUES ('x', 1)";

/** Two servers under one name: the application's connections to the first stay open, and it is a replica now. */
describe('a MySQL that has become read-only', () => {
  let servers: [OwnMariadb, OwnMariadb];
  let name: TcpProxy;
  let service: TestService<typeof AppConfig>;
  let productID = 0;

  const start = (mysql: object = {}) =>
    startTestService(AppModule, {
      contract: stockContract,
      config: AppConfig,
      overrides: {
        mysql: { port: name.port, user: 'app', password: '', database: 'app', poolSize: POOL, ...mysql },
      },
    });

  beforeAll(async () => {
    servers = await Promise.all([ownMariadb(), ownMariadb()]);
    name = await tcpProxy({ port: servers[1].port });
    // The second server has the tables, too, as a replica would.
    await (await start()).close();
  }, 120_000);
  beforeEach(async () => {
    await servers[0].query('SET GLOBAL read_only = 0');
    name.pointAt(servers[0].port);
    service = await start();
    await Promise.all(Array.from({ length: POOL }, () => sql().query('SELECT SLEEP(0.02)')));
  });
  afterEach(() => service?.close());
  afterAll(async () => {
    await name?.close();
    await Promise.all(servers?.map((server) => server.remove()) ?? []);
  });

  const sql = () => service.app.get(Sql);
  const source = () => service.app.get(DataSource);
  const becomeReadOnly = () => servers[0].query('SET GLOBAL read_only = 1');
  const ready = async () => (await send('GET', `${service.http}/ready`)) as { status: number; body: unknown };

  const ways: Record<string, () => Promise<unknown>> = {
    'a request': async () => {
      const { status } = await send('POST', `${service.http}/api/v1/stock`, { productID: ++productID, stock: 1 });
      if (status !== 200) throw Object.assign(new Error('refused'), { statusCode: status });
    },
    'a direct statement': () => sql().run(INSERT),
    'a statement that is not prepared': () => sql().runOnce(INSERT),
    'a transaction': () => sql().transaction((tx) => tx.run(INSERT)),
    'a transaction that reads before': () =>
      sql().transaction(async (tx) => {
        await tx.query('SELECT 1');
        await tx.run(INSERT);
      }),
    'a transaction of TypeORM': () => source().transaction((manager) => manager.query(INSERT)),
    'a repository': () => source().getRepository('Note').insert({ noteTitle: 'x', size: 1 }),
    'a query runner': async () => {
      const runner = source().createQueryRunner();
      try {
        await runner.query(INSERT);
      } finally {
        await runner.release();
      }
    },
  };

  test.each(Object.entries(ways))('is left by the whole pool after one 503: %s', async (_, write) => {
    await becomeReadOnly();
    name.pointAt(servers[1].port);
    const codes: string[] = [];
    const written = () =>
      write().then(
        () => true,
        (error: unknown) => {
          codes.push(toContractError(error).code);
          return undefined;
        },
      );
    await eventually(written, 'it to be written', FIVE_SECONDS);
    expect(codes).toEqual(['UNAVAILABLE']);
    await Promise.all(Array.from({ length: 2 * POOL }, () => sql().run(INSERT)));
  });

  test('makes the service unready, and is left without a request', async () => {
    expect((await ready()).status).toBe(200);
    await becomeReadOnly();
    const unready = async () => {
      const { status, body } = await ready();
      return status === 503 ? body : undefined;
    };
    expect(JSON.stringify(await eventually(unready, 'the service to be unready', FIVE_SECONDS))).toContain('READ_ONLY');
    name.pointAt(servers[1].port);
    await eventually(async () => (await ready()).status === 200 || undefined, 'it to be ready again', FIVE_SECONDS);
    await sql().run(INSERT);
  });

  test('is waited for by migrations, and by a start', async () => {
    await becomeReadOnly();
    const message = 'the database server takes no writes: read_only is on';
    await expect(start({ startTimeoutMs: 0 })).rejects.toThrow(message);
    await servers[1].query('DROP TABLE app.migrations, app.stock, app.note');
    const asked = async () => {
      const [row] = await servers[0].query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_show_variables'");
      return Number(row?.Value);
    };
    const before = await asked();
    const starting = start();
    await eventually(async () => (await asked()) > before + 1 || undefined, 'the start to have asked twice');
    name.pointAt(servers[1].port);
    const started = await starting;
    expect(await servers[1].query('SELECT name FROM app.migrations')).toHaveLength(2);
    await started.close();
  });
});
