import { existsSync } from 'node:fs';
import { Controller, Get } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  type BranchOp,
  DtmBackCheck,
  DtmOutcomeUnknown,
  DtmUnavailable,
  httpBranch,
  newGid,
  type SubmitOptions,
  type Tcc,
  type Transaction,
} from '../src/index.js';
import { LocalTransaction, mysqlBarrier } from '../src/mysql.js';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { answered } from './support/dtm-metrics.js';
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

@Controller()
class BackCheckController {
  @DtmBackCheck()
  @Get('asked')
  asked(): never {
    throw new Error('the body of a back-check does not run');
  }
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
    const servers = { default: { grpc: dtm.grpc, http: dtm.http, deadlineMs: 1_500 } };
    bank = await startBank(database.dataSource, { servers }, {}, 'fastify', { controllers: [BackCheckController] });
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
  /**
   * Kills DTM while a handler runs. The handler then does its work although nobody hears of it, or, where it is `undone`, fails.
   * `meanwhile` looks at what had come about by then.
   */
  async function killIn(
    account: string,
    op: BranchOp,
    begin: () => Promise<unknown>,
    { undone = false, meanwhile = async () => undefined }: { undone?: boolean; meanwhile?: () => Promise<void> } = {},
  ): Promise<void> {
    const [entered, leave] = [gate(), gate()];
    bank.scripts.on(account, op, async () => {
      entered.open();
      await leave.opened;
      if (undone) throw new Error('not done');
    });
    await begin();
    await entered.opened;
    bank.scripts.off(account, op);
    await dtm.server.kill();
    await meanwhile();
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

  const tryAll =
    (...accounts: string[]) =>
    async (tcc: Tcc): Promise<void> => {
      for (const account of accounts)
        await tcc.branch(Bank.withdraw, Bank.withdrawConfirm, Bank.withdrawRevert, { account, amount: 3 });
    };
  const tried = { balance: 7, hits: 1 };
  const confirmed = { balance: 7, hits: 2 };

  test('alive, but its store hangs at the submit of a TCC: DtmOutcomeUnknown, submitted once, confirmed afterwards', async () => {
    const [gid, one, two] = [newGid(), await bank.account(10), await bank.account(10)];
    const work = async (tcc: Tcc): Promise<void> => {
      await tryAll(one, two)(tcc);
      await store.block();
    };
    const before = await answered(dtm.http, 'submit');
    try {
      await expect(bank.dtm.tcc(gid, work)).rejects.toBeInstanceOf(DtmOutcomeUnknown);
      // A repeat meanwhile does not begin again what may be about to be confirmed.
      await expect(bank.dtm.tcc(gid, work)).rejects.toBeInstanceOf(DtmOutcomeUnknown);
    } finally {
      await store.unblock();
    }
    await ended(gid, 'succeed');
    expect((await answered(dtm.http, 'submit')) - before).toBe(1);
    expect([await bank.state(one), await bank.state(two)]).toEqual([confirmed, confirmed]);
    expect(await bank.dtm.tcc(gid, work)).toEqual({ gid, status: 'succeed', repeat: true });
  });

  // DTM confirms the last branch first.
  test.each([
    ['one confirmed, the other under way and done all the same', false],
    ['one confirmed, the other not', true],
  ])('while it confirms a TCC, %s: each is confirmed once when it is back', async (_, undone) => {
    const [gid, one, two] = [newGid(), await bank.account(10), await bank.account(10)];
    await killIn(one, 'confirm', () => bank.dtm.tcc(gid, tryAll(one, two), { retryInterval: 2 }), {
      undone,
      meanwhile: async () => {
        expect([await bank.state(one), await bank.state(two)]).toEqual([tried, confirmed]);
      },
    });
    await ended(gid, 'succeed');
    expect([await bank.state(one), await bank.state(two)]).toEqual([confirmed, confirmed]);
    // A branch that DTM had down as confirmed it does not even ask again.
    expect(bank.scripts.count(two, 'confirm')).toBe(1);
  });

  const message = (gid: string, from: string, accounts: string[]) => {
    const built = bank.dtm.message(gid, { retryInterval: 2, timeoutToFail: 2 });
    for (const account of accounts) built.step(Bank.withdraw, { account, amount: 3 });
    const local = mysqlBarrier(database.dataSource).local(async () => {
      const tx = new LocalTransaction();
      await bank.scripts.run(from, tx);
      await tx.execute('UPDATE account SET balance = balance - 3, hits = hits + 1 WHERE name = ?', [from]);
    });
    return built.prepareAndSubmit(local, { backCheck: httpBranch(`${bank.http}/asked`) });
  };

  test.each([
    ['the other under way and done all the same', false],
    ['the other not', true],
  ])(
    'in the middle of a two-phase message, one step done, %s: each is done once when it is back',
    async (_, undone) => {
      const [gid, from, one, two] = [newGid(), await bank.account(10), await bank.account(10), await bank.account(10)];
      const done = { balance: 7, hits: 1 };
      await killIn(two, 'action', () => message(gid, from, [one, two]), {
        undone,
        meanwhile: async () => {
          expect([await bank.state(from), await bank.state(one)]).toEqual([done, done]);
          expect(await bank.state(two)).toEqual({ balance: 10, hits: 0 });
        },
      });
      await ended(gid, 'succeed');
      for (const account of [from, one, two]) expect(await bank.state(account)).toEqual(done);
      expect(bank.scripts.count(one, 'action')).toBe(1);
    },
  );

  test('during the local step of a message: the step is done, and DTM asks and sends when it is back', async () => {
    const [gid, from, to] = [newGid(), await bank.account(10), await bank.account(10)];
    let outcome: Promise<unknown> = Promise.resolve();
    await killIn(from, 'msg', async () => {
      outcome = message(gid, from, [to]).catch((error: unknown) => error);
    });
    expect(await outcome).toMatchObject({ gid, status: expect.stringMatching(/submitted|succeed/), repeat: false });
    await ended(gid, 'succeed');
    for (const account of [from, to]) expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });
});
