import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { DtmOutcomeUnknown, DtmUnavailable, newGid, type SubmitOptions, type Transaction } from '../src/index.js';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { env } from './support/env.js';
import { DTM_TABLES, mysqlStore, ownDtm } from './support/own-dtm.js';
import { ownRedis } from './support/own-redis.js';
import { gate, until } from './support/until.js';

/** A store of one spec, and a way to keep it from writing. */
interface OwnStore {
  settings: Record<string, string>;
  block(): Promise<void>;
  unblock(): Promise<void>;
  remove(): Promise<void>;
}

async function onMysql(): Promise<OwnStore> {
  const { dataSource, name, drop } = await throwAwayDatabase();
  for (const table of DTM_TABLES) await dataSource.query(table);
  const locker = dataSource.createQueryRunner();
  return {
    settings: mysqlStore(name),
    block: () => locker.query('LOCK TABLES trans_global READ'),
    unblock: () => locker.query('UNLOCK TABLES'),
    remove: async () => {
      await locker.release();
      await drop();
    },
  };
}

async function onRedis(): Promise<OwnStore> {
  const { port, server } = await ownRedis();
  const redis = new Redis(port);
  return {
    settings: { STORE_DRIVER: 'redis', STORE_HOST: '127.0.0.1', STORE_PORT: `${port}` },
    block: async () => {
      await redis.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    },
    unblock: async () => {
      await redis.call('CLIENT', 'UNPAUSE');
    },
    remove: async () => {
      redis.disconnect();
      await server.remove();
    },
  };
}

const binary = existsSync(env.dtmBinary);
const suite = binary ? describe.each : describe.skip.each;
const why = binary ? '' : ' (skipped: TEST_DTM_BINARY names no DTM executable)';

suite([
  { store: 'MySQL', makeStore: onMysql },
  { store: 'Redis', makeStore: onRedis },
])(`a DTM server killed with SIGKILL, on $store${why}`, ({ makeStore }) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let store: OwnStore;
  let dtm: Awaited<ReturnType<typeof ownDtm>>;
  let bank: BankApp;

  beforeAll(async () => {
    [database, store] = await Promise.all([throwAwayDatabase(), makeStore()]);
    dtm = await ownDtm(store.settings);
    bank = await startBank(database.dataSource, {
      servers: { default: { grpc: dtm.grpc, http: dtm.http, deadlineMs: 1_500 } },
    });
  });
  afterAll(async () => {
    await bank?.close();
    await dtm?.server.remove();
    await store?.remove();
    await database?.drop();
  });

  function saga(gid: string, accounts: string[]) {
    const built = bank.dtm.saga(gid, { retryInterval: 2 });
    for (const account of accounts) built.step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 3 });
    return built;
  }
  const submit = (gid: string, accounts: string[], options: SubmitOptions = { fresh: true }) =>
    saga(gid, accounts).submit(options);
  const ended = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(`${gid} ${status}`, async () => {
      const transaction = await bank.dtm.query(gid).catch(() => null);
      return transaction?.status === status && transaction;
    });
  /** Kills DTM while a handler runs: before its work is done, or after. */
  async function killIn(account: string, op: 'action' | 'compensate', begin: () => Promise<unknown>): Promise<void> {
    const [entered, leave] = [gate(), gate()];
    bank.scripts.on(account, op, async () => {
      entered.open();
      await leave.opened;
    });
    await begin();
    await entered.opened;
    bank.scripts.off(account, op);
    await dtm.server.kill();
    leave.open();
    await dtm.server.start();
  }

  test('not there: DtmUnavailable; the same gid again when it is back', async () => {
    const [gid, account] = [newGid(), await bank.account(10)];
    await dtm.server.kill();
    await expect(submit(gid, [account])).rejects.toBeInstanceOf(DtmUnavailable);
    await expect(submit(gid, [account], {})).rejects.toBeInstanceOf(DtmUnavailable);
    await dtm.server.start();
    expect(await submit(gid, [account], { waitResult: true })).toEqual({ gid, status: 'succeed' });
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });

  test('before it has saved the transaction: DtmOutcomeUnknown; the same gid again is one effect', async () => {
    const [gid, account] = [newGid(), await bank.account(10)];
    await store.block();
    try {
      const submitted = submit(gid, [account]);
      const failed = expect(submitted).rejects.toBeInstanceOf(DtmOutcomeUnknown);
      await failed;
      await dtm.server.kill();
    } finally {
      await store.unblock();
    }
    await dtm.server.start();
    await submit(gid, [account], {});
    await ended(gid, 'succeed');
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });

  test('between two branches: goes on when it is back, each effect once', async () => {
    const [gid, one, two] = [newGid(), await bank.account(10), await bank.account(10)];
    await killIn(two, 'action', () => submit(gid, [one, two]));
    await ended(gid, 'succeed');
    for (const account of [one, two]) expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });

  test('in mid-rollback: goes on when it is back, each effect taken back once', async () => {
    const [gid, one, two, poor] = [newGid(), await bank.account(10), await bank.account(10), await bank.account(1)];
    await killIn(two, 'compensate', () => submit(gid, [one, two, poor]));
    await ended(gid, 'failed');
    for (const account of [one, two]) expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
    expect(await bank.state(poor)).toEqual({ balance: 1, hits: 0 });
  });

  test('after the last branch took effect: succeeds when it is back, nothing twice', async () => {
    const [gid, account] = [newGid(), await bank.account(10)];
    await killIn(account, 'action', () => submit(gid, [account]));
    await ended(gid, 'succeed');
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });

  test('while a submitter waits for the result: it is told what is known, and a repeat tells the end', async () => {
    const [gid, account] = [newGid(), await bank.account(10)];
    let outcome: Promise<unknown> = Promise.resolve();
    await killIn(account, 'action', async () => {
      outcome = submit(gid, [account], { fresh: true, waitResult: true }).catch((error: unknown) => error);
    });
    const told = await outcome;
    if (told instanceof Error) expect(told).toBeInstanceOf(DtmOutcomeUnknown);
    else expect(told).toMatchObject({ gid, status: expect.stringMatching(/submitted|succeed/) });
    await ended(gid, 'succeed');
    expect(await submit(gid, [account], { waitResult: true })).toEqual({ gid, status: 'succeed' });
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });
});
