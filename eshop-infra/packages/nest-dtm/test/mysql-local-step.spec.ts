import { randomUUID } from 'node:crypto';
import { DtmInvalidOption, Refusal } from '../src/index.js';
import { LocalTransaction, type MysqlBarrier, mysqlBarrier } from '../src/mysql.js';
import { throwAwayDatabase } from './support/database.js';
import { gate, until } from './support/until.js';

describe('local step under the MySQL barrier', () => {
  const tx = new LocalTransaction();
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let barrier: MysqlBarrier;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    barrier = mysqlBarrier(database.dataSource, { groupSize: 8, acquireTimeoutMs: 20_000, lockWaitSeconds: 20 });
  });
  afterAll(() => database?.drop());

  async function account(): Promise<string> {
    const name = randomUUID();
    await database.dataSource.query('INSERT INTO account (name, balance) VALUES (?, 10)', [name]);
    return name;
  }

  async function hits(name: string): Promise<number> {
    const [row] = await database.dataSource.query('SELECT hits FROM account WHERE name = ?', [name]);
    return Number(row.hits);
  }

  const hit = (name: string) =>
    barrier.local(async () => {
      await tx.execute('UPDATE account SET hits = hits + 1 WHERE name = ?', [name]);
      return tx.branch;
    });

  test('runs once per gid, finds its transaction, and is told by the back-check', async () => {
    const [gid, name] = [randomUUID(), await account()];
    const branch = { transType: 'msg', gid, branchId: '00', op: 'msg' };
    expect(await hit(name).run(gid)).toEqual({ done: true, repeat: false, value: branch });
    expect(await hit(name).run(gid)).toEqual({ done: true, repeat: true });
    expect(await barrier.backCheck(gid)).toBe('done');
    expect(await hits(name)).toBe(1);
  });

  test('50 at once: one runs, 49 are repeats', async () => {
    const [gid, name] = [randomUUID(), await account()];
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => hit(name).run(gid)));
    expect(outcomes.filter((outcome) => outcome.done && !outcome.repeat)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.done && outcome.repeat)).toHaveLength(49);
    expect(await hits(name)).toBe(1);
  });

  test('never runs after a back-check that found nothing', async () => {
    const [gid, name] = [randomUUID(), await account()];
    expect(await hit(name).check(gid)).toBe('rolled-back');
    expect(await hit(name).run(gid)).toEqual({ done: false, why: 'rolled-back' });
    expect(await hit(name).check(gid)).toBe('rolled-back');
    expect(await hits(name)).toBe(0);
  });

  test('a back-check waits for a local step that is under way', async () => {
    const [gid, entered, leave] = [randomUUID(), gate(), gate()];
    const running = barrier
      .local(async () => {
        entered.open();
        await leave.opened;
      })
      .run(gid);
    await entered.opened;
    const check = barrier.backCheck(gid);
    await until('the back-check waits', async () => {
      const [row] = await database.dataSource.query(
        `SELECT count(*) AS n FROM information_schema.processlist WHERE db = ? AND info LIKE 'INSERT IGNORE%'`,
        [database.name],
      );
      return Number(row.n) === 1;
    });
    leave.open();
    expect(await running).toMatchObject({ done: true });
    expect(await check).toBe('done');
  });

  test('a back-check that races the local step agrees with it', async () => {
    const name = await account();
    let done = 0;
    for (let round = 0; round < 20; round++) {
      const gid = randomUUID();
      const [ran, check] = await Promise.all([hit(name).run(gid), barrier.backCheck(gid)]);
      expect(check).toBe(ran.done ? 'done' : 'rolled-back');
      if (ran.done) done++;
    }
    expect(await hits(name)).toBe(done);
  });

  test('a refusal, or any other error of the work, leaves nothing and may be tried again', async () => {
    const [gid, name] = [randomUUID(), await account()];
    for (const error of [new Refusal('no'), new Error('unknown')]) {
      const step = barrier.local(async () => {
        await tx.execute('UPDATE account SET hits = hits + 1 WHERE name = ?', [name]);
        throw error;
      });
      await expect(step.run(gid)).rejects.toBe(error);
    }
    expect(await hits(name)).toBe(0);
    expect(await hit(name).run(gid)).toMatchObject({ done: true, repeat: false });
  });

  test('a gid that does not fit the column is refused before any SQL', async () => {
    await expect(hit('x').run('g'.repeat(129))).rejects.toBeInstanceOf(DtmInvalidOption);
    await expect(hit('x').check('g'.repeat(129))).rejects.toBeInstanceOf(DtmInvalidOption);
  });
});
