import { randomUUID } from 'node:crypto';
import { DtmInvalidOption, DtmUnavailable, Ongoing } from '../src/index.js';
import { purgeBarrier, type TransactionSource } from '../src/mysql.js';
import { freePort } from '../src/testing/index.js';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { env } from './support/env.js';
import { until } from './support/until.js';

const DAY = 86_400;

describe('purge of barrier rows', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    const closed = await freePort();
    bank = await startBank(database.dataSource, {
      servers: {
        default: { grpc: env.dtmGrpc, http: env.dtmHttp },
        down: { grpc: `127.0.0.1:${closed}`, http: `http://127.0.0.1:${closed}`, deadlineMs: 500 },
      },
    });
  });
  afterAll(async () => {
    await bank?.close();
    await database?.drop();
  });

  async function row(gid: string, days: number): Promise<void> {
    await database.dataSource.query(
      `INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason, create_time)
       VALUES ('saga', ?, '01', 'action', '01', 'action', NOW(3) - INTERVAL ? DAY)`,
      [gid, days],
    );
  }

  async function rows(): Promise<Set<string>> {
    const all: { gid: string }[] = await database.dataSource.query('SELECT gid FROM barrier');
    return new Set(all.map(({ gid }) => gid));
  }

  const age = (gid: string) =>
    database.dataSource.query('UPDATE barrier SET create_time = NOW(3) - INTERVAL 30 DAY WHERE gid = ?', [gid]);

  function saga(gid: string, account: string) {
    return bank.dtm.saga(gid, { retryInterval: 1 }).step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 1 });
  }

  test('removes old rows of transactions that are over or forgotten, and no other, in batches of any size', async () => {
    const [finished, running, young] = [randomUUID(), randomUUID(), randomUUID()];
    const account = await bank.account(10);
    await saga(finished, account).submit({ fresh: true, waitResult: true });
    const slow = await bank.account(10);
    const submitted = saga(running, account);
    submitted.step(Bank.withdraw, Bank.withdrawRevert, { account: slow, amount: 1 });
    bank.scripts.on(slow, 'action', () => {
      throw new Ongoing('not yet');
    });
    await submitted.submit({ fresh: true });
    await until('the second action is asked', () => bank.scripts.count(slow, 'action'));
    await age(finished);
    await age(running);
    const forgotten = Array.from({ length: 7 }, () => randomUUID());
    for (const gid of forgotten) await row(gid, 9);
    await row(young, 7);

    const result = await purgeBarrier(database.dataSource, bank.dtm, { batchSize: 3 });
    expect(result).toEqual({ removed: 8, kept: 1 });
    expect(await rows()).toEqual(new Set([running, young]));
    bank.scripts.off(slow, 'action');
    await until('the saga ends', async () => (await bank.dtm.query(running))?.status === 'succeed');
    await age(running);
    expect(await purgeBarrier(database.dataSource, bank.dtm)).toEqual({ removed: 2, kept: 0 });
  });

  test('removes nothing that a server did not answer for', async () => {
    const gid = randomUUID();
    await row(gid, 9);
    await expect(purgeBarrier(database.dataSource, bank.dtm, { servers: ['default', 'down'] })).rejects.toBeInstanceOf(
      DtmUnavailable,
    );
    expect(await rows()).toContain(gid);
  });

  test('stops between two batches', async () => {
    const abort = new AbortController();
    for (let one = 0; one < 4; one++) await row(randomUUID(), 9);
    const before = (await rows()).size;
    const dtm: TransactionSource = {
      query: async () => {
        abort.abort();
        return null;
      },
    };
    const result = await purgeBarrier(database.dataSource, dtm, { batchSize: 2, signal: abort.signal });
    expect(result).toEqual({ removed: 2, kept: 0 });
    expect((await rows()).size).toBe(before - 2);
  });

  test.each([
    ['servers', { servers: [] }],
    ['olderThanSeconds', { olderThanSeconds: DAY - 1 }],
    ['batchSize', { batchSize: 0 }],
  ])('a wrong %s is refused', async (field, options) => {
    const purge = purgeBarrier(database.dataSource, bank.dtm, options);
    await expect(purge).rejects.toBeInstanceOf(DtmInvalidOption);
    await expect(purge).rejects.toMatchObject({ field });
  });
});
