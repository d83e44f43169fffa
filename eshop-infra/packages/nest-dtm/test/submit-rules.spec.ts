import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import {
  DtmOutcomeUnknown,
  DtmProtocolError,
  DtmUnavailable,
  type SagaOptions,
  type Transaction,
} from '../src/index.js';
import { freePort } from '../src/testing/index.js';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { env, stores } from './support/env.js';
import { ownDtm } from './support/own-dtm.js';
import { ownRedis } from './support/own-redis.js';
import { until } from './support/until.js';

const WAIT = { fresh: true, waitResult: true } as const;

let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
beforeAll(async () => {
  database = await throwAwayDatabase();
});
afterAll(() => database?.drop());

const servers = [
  ...stores.map((server) => ({ ...server, protocol: 'grpc' as const })),
  { ...stores[0], protocol: 'http' as const },
];

describe.each(servers)('a gid submitted again, DTM on $store, by $protocol', ({ grpc, http, protocol }) => {
  let bank: BankApp;
  beforeAll(async () => {
    bank = await startBank(database.dataSource, { servers: { default: { grpc, http, protocol } } });
  });
  afterAll(() => bank?.close());

  const saga = (gid: string, accounts: string[], options?: SagaOptions) =>
    accounts.reduce(
      (built, account) => built.step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 3 }),
      bank.dtm.saga(gid, options),
    );
  const ended = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(`${gid} ${status}`, async () => {
      const transaction = await bank.dtm.query(gid);
      return transaction?.status === status && transaction;
    });

  test('that is aborting tells so, with the reason, and starts nothing', async () => {
    const [gid, good, poor] = [randomUUID(), await bank.account(10), await bank.account(1)];
    bank.scripts.on(good, 'compensate', () => {
      throw new Error('not now');
    });
    const aborting = { gid, status: 'aborting', reason: `${poor} has not enough` };
    expect(await saga(gid, [good, poor], { retryInterval: 1 }).submit(WAIT)).toEqual(aborting);
    for (const options of [{}, { fresh: true }])
      expect(await saga(gid, [good, poor]).submit(options)).toEqual(aborting);
    bank.scripts.off(good, 'compensate');
    await ended(gid, 'failed');
    expect(await bank.state(good)).toEqual({ balance: 10, hits: 2 });
  });

  test('with other steps: the first ones count', async () => {
    const [gid, first, second] = [randomUUID(), await bank.account(10), await bank.account(10)];
    await saga(gid, [first]).submit(WAIT);
    expect(await saga(gid, [second]).submit()).toEqual({ gid, status: 'succeed' });
    expect((await bank.state(second)).hits).toBe(0);
  });

  test('of 128 characters, of which another is the beginning: two transactions', async () => {
    const long = `${randomUUID()}-${'x'.repeat(91)}`;
    const gids = [long, long.slice(0, -1), long.slice(0, 40)];
    const accounts = await Promise.all(gids.map(() => bank.account(10)));
    const results = await Promise.all(gids.map((gid, index) => saga(gid, [accounts[index] as string]).submit(WAIT)));
    expect(results).toEqual(gids.map((gid) => ({ gid, status: 'succeed' })));
    for (const account of accounts) expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    expect(long).toHaveLength(128);
  });

  test('with characters that mean something in an URL', async () => {
    const [gid, account] = [`${randomUUID()}?a=b&c=%20#"'+/\\`, await bank.account(10)];
    expect(await saga(gid, [account]).submit({ waitResult: true })).toEqual({ gid, status: 'succeed' });
    expect(await saga(gid, [account]).submit()).toEqual({ gid, status: 'succeed' });
    expect((await bank.state(account)).hits).toBe(1);
  });
});

const binary = existsSync(env.dtmBinary);
(binary ? describe : describe.skip)(
  `a DTM whose store takes no writes${binary ? '' : ' (skipped: TEST_DTM_BINARY names no DTM executable)'}`,
  () => {
    let store: Awaited<ReturnType<typeof ownRedis>>;
    let redis: Redis;
    let dtm: Awaited<ReturnType<typeof ownDtm>>;
    let bank: BankApp;
    const full = async (yes: boolean): Promise<void> => {
      await redis.config('SET', 'maxmemory', yes ? '1' : '0');
    };

    beforeAll(async () => {
      store = await ownRedis();
      redis = new Redis(store.port);
      dtm = await ownDtm({ STORE_DRIVER: 'redis', STORE_HOST: '127.0.0.1', STORE_PORT: `${store.port}` });
      bank = await startBank(database.dataSource, {
        servers: { default: { grpc: dtm.grpc, http: dtm.http, deadlineMs: 2_000 } },
      });
    });
    afterEach(() => full(false));
    afterAll(async () => {
      await bank?.close();
      await dtm?.server.remove();
      redis?.disconnect();
      await store?.server.remove();
    });
    const saga = (gid: string, account: string) =>
      bank.dtm.saga(gid).step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 3 });

    test('it acknowledges a submit all the same: noticed, and submitted again until it is stored', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      await full(true);
      const submitted = saga(gid, account).submit();
      await until('DTM ran what it did not store', () => bank.scripts.count(account, 'action'));
      await full(false);
      expect((await submitted).status).toMatch(/submitted|succeed/);
      await until('the end', async () => (await bank.dtm.query(gid))?.status === 'succeed');
      expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    });

    test('for longer than the deadline: DtmOutcomeUnknown', async () => {
      await full(true);
      await expect(saga(randomUUID(), await bank.account(10)).submit()).rejects.toBeInstanceOf(DtmOutcomeUnknown);
    });

    test('a message with a local step, a TCC: DtmUnavailable, nothing is begun', async () => {
      await full(true);
      const never = async (): Promise<never> => {
        throw new Error('begun');
      };
      const message = bank.dtm.message(randomUUID()).step(Bank.withdraw, { account: 'x', amount: 1 });
      const sent = message.prepareAndSubmit({ run: never, check: never }, { backCheck: Bank.withdrawConfirm });
      await expect(sent).rejects.toBeInstanceOf(DtmUnavailable);
      await expect(bank.dtm.tcc(randomUUID(), never)).rejects.toBeInstanceOf(DtmUnavailable);
    });
  },
);

describe('a server that is no DTM, submitted to by HTTP', () => {
  let bank: BankApp;
  let answer = { status: 200, body: '' };
  let stored = '{"transaction":null,"branches":[]}';
  const fake = createServer((request, response) => {
    const gid = new URL(request.url ?? '/', 'http://localhost').searchParams.get('gid') ?? '';
    if (request.url?.includes('/query')) response.end(stored.replace('GID', gid));
    else request.resume().on('end', () => response.writeHead(answer.status).end(answer.body));
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    bank = await startBank(database.dataSource, {
      servers: {
        default: {
          http: `http://127.0.0.1:${(fake.address() as AddressInfo).port}`,
          protocol: 'http',
          deadlineMs: 500,
        },
        down: { http: `http://127.0.0.1:${await freePort()}`, protocol: 'http' },
      },
      branchSyncCheck: false,
    });
  });
  afterAll(async () => {
    await bank?.close();
    fake.close();
  });
  beforeEach(() => {
    stored = '{"transaction":null,"branches":[]}';
  });
  const submit = (server = 'default') =>
    bank.dtm
      .saga(randomUUID(), { server })
      .step(Bank.withdraw, Bank.withdrawRevert, { account: 'x', amount: 1 })
      .submit({ fresh: true });

  test.each([
    [200, '<html>welcome</html>'],
    [200, '{"dtm_result":"MAYBE"}'],
    [200, '[]'],
    [404, '404 page not found'],
    [302, '{"message":"elsewhere"}'],
  ])('%i %s is a DtmProtocolError that quotes it', async (status, body) => {
    answer = { status, body };
    await expect(submit()).rejects.toBeInstanceOf(DtmProtocolError);
    await expect(submit()).rejects.toThrow(body);
  });

  test('500 with a panic about the content is a DtmRefused that quotes it', async () => {
    answer = { status: 500, body: '{"message":"topic not found: x"}' };
    await expect(submit()).rejects.toEqual(expect.objectContaining({ name: 'DtmRefused' }));
    await expect(submit()).rejects.toThrow('topic not found: x');
  });

  test.each([
    [409, '{"dtm_result":"FAILURE","message":"wait result not return success: FAILURE"}'],
    [425, '{"dtm_result":"ONGOING","message":"later"}'],
    [500, '{"message":"dtm panic: storage: NotFound"}'],
  ])('%i %s about a transaction the store does not have is a DtmOutcomeUnknown', async (status, body) => {
    answer = { status, body };
    await expect(submit()).rejects.toBeInstanceOf(DtmOutcomeUnknown);
  });

  test('whatever it answers, what is stored counts', async () => {
    stored = '{"transaction":{"gid":"GID","trans_type":"saga","status":"submitted"},"branches":[]}';
    for (answer of [
      { status: 409, body: '{"message":"wait result not return success: FAILURE"}' },
      { status: 500, body: '<html>' },
    ]) {
      expect((await submit()).status).toBe('submitted');
    }
  });

  test('nobody there: DtmUnavailable', async () => {
    await expect(submit('down')).rejects.toBeInstanceOf(DtmUnavailable);
  });
});
