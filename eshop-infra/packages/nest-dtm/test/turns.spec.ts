import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DtmGidTaken, DtmOutcomeUnknown, DtmReentered, newGid } from '../src/index.js';
import { mysqlBarrier } from '../src/mysql.js';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { dtmStores, startDtm } from './support/dtm-store.js';
import { env } from './support/env.js';
import { gate } from './support/until.js';

const DEADLINE_MS = 1_500;

describe('a gid that is in use', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;

  beforeAll(async () => {
    database = await throwAwayDatabase(4);
    const server = { grpc: env.dtmGrpc, http: env.dtmHttp, deadlineMs: DEADLINE_MS };
    bank = await startBank(database.dataSource, {
      servers: { default: server, redis: { grpc: env.dtmRedisGrpc, http: env.dtmRedisHttp, deadlineMs: DEADLINE_MS } },
    });
  });
  afterAll(async () => {
    await bank?.close();
    await database?.drop();
  });

  const saga = (gid: string, account: string, server = 'default') =>
    bank.dtm.saga(gid, { server }).step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 1 });

  test.each(['default', 'redis'])('inside its own TCC is an error of its own type, at once (on %s)', async (server) => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    const work = () => saga(gid, account, server).submit();
    await expect(bank.dtm.tcc(gid, work, { server })).rejects.toBeInstanceOf(DtmReentered);
  });

  test('inside a TCC of its own, a local step and a message is one, too', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    await expect(bank.dtm.tcc(gid, () => bank.dtm.tcc(gid, async () => undefined))).rejects.toBeInstanceOf(
      DtmReentered,
    );
    const message = () => bank.dtm.message(`${gid}-m`).step(Bank.withdraw, { account, amount: 1 });
    const local = mysqlBarrier(database.dataSource).local(async () => {
      await message().submit();
    });
    await expect(message().prepareAndSubmit(local, { backCheck: Bank.withdrawConfirm })).rejects.toBeInstanceOf(
      DtmReentered,
    );
  });

  test('towards another server is another transaction, and waits for nothing', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    const work = async () => {
      await saga(gid, account, 'redis').submit({ waitResult: true });
    };
    expect(await bank.dtm.tcc(gid, work)).toMatchObject({ repeat: false });
    expect(await bank.state(account)).toEqual({ balance: 9, hits: 1 });
  });

  test('by two servers that call one service: each transaction takes effect, and is taken back by itself', async () => {
    const [gid, account, poor] = [randomUUID(), await bank.account(10), await bank.account(0)];
    const one = (server: string) => saga(gid, account, server).submit({ waitResult: true });
    expect(await Promise.all([one('default'), one('redis')])).toMatchObject([
      { status: 'succeed' },
      { status: 'succeed' },
    ]);
    expect(await bank.state(account)).toEqual({ balance: 8, hits: 2 });
    const other = randomUUID();
    const refused = (server: string) =>
      saga(other, account, server)
        .step(Bank.withdraw, Bank.withdrawRevert, { account: server === 'redis' ? poor : account, amount: 1 })
        .submit({ waitResult: true });
    expect(await refused('default')).toMatchObject({ status: 'succeed' });
    expect(await refused('redis')).toMatchObject({ status: 'failed' });
    expect((await bank.state(account)).balance).toBe(6);
  });

  test('when it is free again, also for what its own work has left behind', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    const ended = gate();
    let left: Promise<unknown> | undefined;
    await bank.dtm.tcc(`${gid}-tcc`, async () => {
      left = ended.opened.then(() => bank.dtm.tcc(`${gid}-tcc`, async () => undefined));
    });
    ended.open();
    expect(await left).toMatchObject({ repeat: true });
    expect(await saga(gid, account).submit({ waitResult: true })).toMatchObject({ status: 'succeed' });
  });

  test('by a call of the same process that takes long: the other one is told in time', async () => {
    const [gid, leave, entered] = [randomUUID(), gate(), gate()];
    const first = bank.dtm.tcc(gid, async () => {
      entered.open();
      await leave.opened;
    });
    await entered.opened;
    const started = performance.now();
    await expect(bank.dtm.tcc(gid, async () => undefined)).rejects.toBeInstanceOf(DtmOutcomeUnknown);
    expect(performance.now() - started).toBeLessThan(3 * DEADLINE_MS);
    leave.open();
    expect(await first).toMatchObject({ repeat: false });
  });
});

const binary = existsSync(env.dtmBinary);
const ifDtm = binary ? test : test.skip;
const why = binary ? '' : ' (skipped: TEST_DTM_BINARY names no DTM executable)';

ifDtm(
  `a gid that differs only in case from one that DTM has is refused by type, and nothing of it runs${why}`,
  async () => {
    const database = await throwAwayDatabase(2);
    // As DTM's own script makes it: MySQL compares its gids without regard to case.
    const store = await dtmStores[0].makeStore();
    const dtm = await startDtm(store);
    const bank = await startBank(database.dataSource, { servers: { default: { grpc: dtm.grpc, http: dtm.http } } });
    try {
      const [gid, account, other] = [`Gid-${newGid()}`, await bank.account(10), await bank.account(10)];
      const transfer = (id: string, from: string) =>
        bank.dtm.saga(id).step(Bank.withdraw, Bank.withdrawRevert, { account: from, amount: 3 });
      expect(await transfer(gid, account).submit({ waitResult: true })).toMatchObject({ status: 'succeed' });
      const twin = gid.toLowerCase();
      for (const fresh of [false, true]) {
        await expect(transfer(twin, other).submit({ fresh, waitResult: true })).rejects.toBeInstanceOf(DtmGidTaken);
        await expect(transfer(twin, other).submit({ fresh })).rejects.toMatchObject({ gid: twin, other: gid });
      }
      await expect(bank.dtm.query(twin)).rejects.toBeInstanceOf(DtmGidTaken);
      await expect(
        bank.dtm.message(twin).step(Bank.withdraw, { account: other, amount: 1 }).submit(),
      ).rejects.toBeInstanceOf(DtmGidTaken);
      await expect(bank.dtm.tcc(twin, async () => undefined)).rejects.toBeInstanceOf(DtmGidTaken);
      expect(await bank.state(other)).toEqual({ balance: 10, hits: 0 });
    } finally {
      await bank.close();
      await dtm.server.remove();
      await store.remove();
      await database.drop();
    }
  },
);
