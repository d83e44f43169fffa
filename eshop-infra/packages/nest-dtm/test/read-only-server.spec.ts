import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { DtmNotDone, isTransient } from '../src/index.js';
import { barrierMigration, LocalTransaction, type MysqlBarrier, mysqlBarrier } from '../src/mysql.js';
import { type OneName, oneName } from './support/one-name.js';
import { type OwnMariadb, ownMariadb } from './support/own-mariadb.js';
import { until } from './support/until.js';

const POOL = 4;

/** Two servers under one name, as an application sees a failover: its connections to the old one stay open, and it is a replica now. */
describe('a MySQL that has become read-only', () => {
  let servers: [OwnMariadb, OwnMariadb];
  let name: OneName;
  let source: DataSource;
  let barrier: MysqlBarrier;
  const tx = new LocalTransaction();

  beforeAll(async () => {
    servers = await Promise.all([ownMariadb(), ownMariadb()]);
    name = await oneName(servers[0].port);
    for (const { query } of servers) {
      await query('CREATE TABLE app.account (name varchar(64) PRIMARY KEY, hits int NOT NULL DEFAULT 0) ENGINE=InnoDB');
    }
    for (const { port } of servers) {
      const once = new DataSource({ ...connection(port), migrations: [barrierMigration], migrationsRun: true });
      await once.initialize().then(() => once.destroy());
    }
  }, 120_000);
  afterEach(() => source?.destroy());
  afterAll(async () => {
    await name?.close();
    await Promise.all(servers?.map(({ server }) => server.remove()) ?? []);
  });

  const connection = (port: number) =>
    ({ type: 'mysql', host: '127.0.0.1', port, username: 'app', password: '', database: 'app' }) as const;

  /** A pool whose connections are all to the first server. */
  beforeEach(async () => {
    await servers[0].query('SET GLOBAL read_only = 0');
    name.pointAt(servers[0].port);
    source = await new DataSource({ ...connection(name.port), poolSize: POOL }).initialize();
    barrier = mysqlBarrier(source);
    // The barrier looks at a pool from its first call on.
    await barrier.backCheck(randomUUID());
    await Promise.all(Array.from({ length: POOL }, () => source.query('SELECT SLEEP(0.02)')));
  });

  async function failOver(): Promise<void> {
    await servers[0].query('SET GLOBAL read_only = 1');
    name.pointAt(servers[1].port);
  }

  const hit = (key: string) => tx.execute('INSERT INTO account (name) VALUES (?)', [key]);
  const INSERT = 'INSERT INTO account (name) VALUES (?)';
  const branch = () => ({ transType: 'saga', gid: randomUUID(), branchId: '01', op: 'action' as const });

  const ways: Record<string, (key: string) => Promise<unknown>> = {
    'a branch under the barrier': (key) =>
      barrier.call({ branch: branch(), work: () => hit(key), cancelled: () => false }),
    'a local step of a message': (key) => barrier.local(() => hit(key)).run(randomUUID()),
    'a local step of a workflow': (key) =>
      barrier.call({ branch: { ...branch(), transType: 'workflow' }, work: () => hit(key), cancelled: () => false }),
    'a branch through TypeORM’s manager': (key) =>
      barrier.call({ branch: branch(), work: () => tx.manager.query(INSERT, [key]), cancelled: () => false }),
    'a direct statement': (key) => source.query(INSERT, [key]),
    'a transaction of TypeORM': (key) => source.transaction((manager) => manager.query(INSERT, [key])),
    'a statement whose error the handler keeps to itself': (key) =>
      source.transaction(async (manager) => {
        const failed = await manager.query(INSERT, [key]).then(
          () => false,
          () => true,
        );
        await manager.query('SELECT 1');
        return failed;
      }),
  };

  test.each(Object.entries(ways))('is left by the whole pool after one error: %s', async (_, write) => {
    await failOver();
    const key = randomUUID();
    const failures: unknown[] = [];
    await until(
      'it is written',
      () =>
        write(key).then(
          (failed) => failed !== true,
          (error: unknown) => {
            failures.push(error);
            return false;
          },
        ),
      5_000,
    );
    expect(failures.length).toBeLessThanOrEqual(1);
    expect(failures.every(isTransient)).toBe(true);
    await Promise.all(Array.from({ length: 2 * POOL }, () => source.query(INSERT, [randomUUID()])));
    expect(await servers[0].query(`SELECT * FROM app.account WHERE name = '${key}'`)).toEqual([]);
    expect(await servers[1].query(`SELECT * FROM app.account WHERE name = '${key}'`)).toHaveLength(1);
  });

  test('a back-check finds the other server at once', async () => {
    await failOver();
    expect(await barrier.local(async () => undefined).check(randomUUID())).toBe('rolled-back');
  });

  test('with no other server under its name: a local step is not done, and that is known', async () => {
    await servers[0].query('SET GLOBAL read_only = 1');
    const [gid, key] = [randomUUID(), randomUUID()];
    const step = barrier.local(() => hit(key));
    await expect(step.run(gid)).rejects.toBeInstanceOf(DtmNotDone);
    await expect(step.check(gid)).rejects.toBeInstanceOf(DtmNotDone);
    await servers[0].query('SET GLOBAL read_only = 0');
    expect(await step.run(gid)).toMatchObject({ done: true, repeat: false });
  });

  test('connections of readers are not thrown away with every write that fails', async () => {
    await servers[0].query('SET GLOBAL read_only = 1');
    const made = async () => {
      const [row] = await servers[0].query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Connections'");
      return Number(row?.Value);
    };
    const before = await made();
    for (let read = 0; read < 20; read++) {
      await expect(source.query(INSERT, [randomUUID()])).rejects.toMatchObject({ errno: 1290 });
      await Promise.all([source.query('SELECT 1'), source.query('SELECT 1')]);
    }
    // One for each write that failed, and of the readers' those of each second.
    expect((await made()) - before).toBeLessThan(20 + 5 * POOL);
  });
});
