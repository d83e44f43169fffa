import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import {
  httpBranch,
  Ongoing,
  Refusal,
  type Saga,
  type SagaOptions,
  type SubmitResult,
  type Transaction,
} from '../src/index.js';
import { Bank, type BankApp, startBank, type Transfer } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { stores } from './support/env.js';
import { gate, until } from './support/until.js';

const WAIT = { fresh: true, waitResult: true } as const;

/** How a saga ends; DTM's window for `waitResult` may be over before. */
function ended(saga: Saga): Promise<SubmitResult> {
  return until(`${saga.gid} is final`, async () => {
    const result = await saga.submit({ waitResult: true });
    return (result.status === 'succeed' || result.status === 'failed') && result;
  });
}

const servers = [
  ...stores.map((server) => ({ ...server, protocol: 'grpc' as const })),
  { ...stores[0], protocol: 'http' as const },
];

describe.each(servers)('saga, DTM on $store, submitted by $protocol', ({ grpc, http, protocol }) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let foreign: Server;
  let foreignUrl: string;
  /** HTTP statuses the foreign service answers, one a call; then 200. */
  const answers: number[] = [];
  const foreignCalls: string[] = [];

  beforeAll(async () => {
    database = await throwAwayDatabase();
    bank = await startBank(database.dataSource, { servers: { default: { grpc, http, protocol } } });
    foreign = createServer((request, response) => {
      foreignCalls.push(`${request.method} ${new URL(request.url ?? '', 'http://x').pathname}`);
      request.resume().on('end', () => response.writeHead(answers.shift() ?? 200).end('{}'));
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    foreignUrl = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    answers.length = 0;
    foreignCalls.length = 0;
  });
  afterAll(async () => {
    await bank?.close();
    foreign?.close();
    await database?.drop();
  });

  function transfers(gid: string, accounts: string[], options?: SagaOptions, amount = 3) {
    const saga = bank.dtm.saga(gid, options);
    for (const account of accounts) saga.step(Bank.withdraw, Bank.withdrawRevert, { account, amount });
    return saga;
  }

  function final(gid: string, status: Transaction['status']): Promise<Transaction> {
    return until(`${gid} ${status}`, async () => {
      const transaction = await bank.dtm.query(gid);
      return transaction?.status === status && transaction;
    });
  }

  const three = (): Promise<string[]> => Promise.all([bank.account(10), bank.account(10), bank.account(10)]);

  test('all actions take effect, in order', async () => {
    const [gid, accounts] = [randomUUID(), await three()];
    expect(await ended(transfers(gid, accounts))).toEqual({ gid, status: 'succeed' });
    for (const account of accounts) expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    expect(bank.scripts.calls.filter((call) => accounts.some((account) => call.startsWith(account)))).toEqual(
      accounts.map((account) => `${account} action`),
    );
    const transaction = await bank.dtm.query(gid);
    expect(transaction).toMatchObject({ gid, status: 'succeed', transType: 'saga', rollbackReason: '' });
    expect(
      transaction?.branches.filter(({ op }) => op === 'action').map(({ branchId, status }) => [branchId, status]),
    ).toEqual([
      ['01', 'succeed'],
      ['02', 'succeed'],
      ['03', 'succeed'],
    ]);
  });

  test('without waitResult the answer is that it is stored', async () => {
    const [gid, accounts] = [randomUUID(), await three()];
    expect(await transfers(gid, accounts).submit({ fresh: true })).toEqual({ gid, status: 'submitted' });
    await final(gid, 'succeed');
  });

  test.each([0, 1, 2])('a refusal at step %i takes every effect back, once, and tells the reason', async (refusing) => {
    const gid = randomUUID();
    const accounts = await Promise.all([0, 1, 2].map((step) => bank.account(step === refusing ? 1 : 10)));
    const result = await ended(transfers(gid, accounts));
    expect(result).toEqual({ gid, status: 'failed', reason: `${accounts[refusing]} has not enough` });
    for (const [step, account] of accounts.entries()) {
      expect(await bank.state(account)).toEqual(
        step < refusing ? { balance: 10, hits: 2 } : { balance: step === refusing ? 1 : 10, hits: 0 },
      );
      // The step that was refused is compensated by DTM too; the barrier keeps that from the handler.
      expect(bank.scripts.count(account, 'compensate')).toBe(step < refusing ? 1 : 0);
    }
    expect((await bank.barrierRows(gid)).filter((row) => row.startsWith(`0${refusing + 1}`))).toEqual([
      `0${refusing + 1} action compensate`,
      // Since the refusal, whose reason it keeps, as far as the column holds it.
      `0${refusing + 1} compensate ${accounts[refusing]} has not enough`,
    ]);
  });

  test('a refusal with a code of its own arrives as "CODE: message"', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    bank.scripts.on(account, 'action', () => {
      throw Object.assign(new Error('50 wanted, 3 there'), { code: 'STOCK_INSUFFICIENT', grpcStatus: 10 });
    });
    expect(await ended(transfers(gid, [account]))).toMatchObject({
      status: 'failed',
      reason: 'STOCK_INSUFFICIENT: 50 wanted, 3 there',
    });
  });

  test('a refusal of a thousand words still rolls back at the first attempt', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    bank.scripts.on(account, 'action', () => {
      throw new Refusal('word.'.repeat(1000));
    });
    const { status, reason } = await ended(transfers(gid, [account]));
    expect([status, reason?.length]).toEqual(['failed', 200]);
  });

  test('a payload that is not valid rolls back', async () => {
    const [gid, accounts] = [randomUUID(), await three()];
    const saga = transfers(gid, accounts.slice(0, 2));
    saga.step(Bank.withdraw, Bank.withdrawRevert, { account: accounts[2] ?? '', amount: -1 });
    expect(await ended(saga)).toMatchObject({
      status: 'failed',
      reason: 'INVALID_PARAMETER: amount must be > 0',
    });
    for (const account of accounts) expect((await bank.state(account)).balance).toBe(10);
  });

  test('a deadlock in an action is retried until it works, and is never a refusal', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    let attempts = 0;
    bank.scripts.on(account, 'action', () => {
      if (++attempts < 3)
        throw new Refusal('wrapped', { cause: Object.assign(new Error('Deadlock found'), { errno: 1213 }) });
    });
    expect(await transfers(gid, [account], { retryInterval: 1 }).submit(WAIT)).toEqual({ gid, status: 'submitted' });
    await final(gid, 'succeed');
    expect(attempts).toBe(3);
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });

  test('a compensation that fails is retried until it works', async () => {
    const [gid, accounts] = [randomUUID(), [await bank.account(10), await bank.account(1)]];
    let attempts = 0;
    bank.scripts.on(accounts[0] ?? '', 'compensate', () => {
      if (++attempts < 2) throw new Refusal('not now');
    });
    expect(await transfers(gid, accounts, { retryInterval: 1 }).submit(WAIT)).toEqual({
      gid,
      status: 'aborting',
      reason: `${accounts[1]} has not enough`,
    });
    await final(gid, 'failed');
    expect(await bank.state(accounts[0] ?? '')).toEqual({ balance: 10, hits: 2 });
  });

  describe('waitResult tells the truth where DTM says ABORTED about a saga that goes on', () => {
    test('a branch that is not ready yet', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      let attempts = 0;
      bank.scripts.on(account, 'action', () => {
        if (++attempts < 2) throw new Ongoing('not yet');
      });
      expect(await transfers(gid, [account], { retryInterval: 1 }).submit(WAIT)).toEqual({ gid, status: 'submitted' });
      await final(gid, 'succeed');
    });

    test('a branch that fails with an unknown error', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      let attempts = 0;
      bank.scripts.on(account, 'action', () => {
        if (++attempts < 2) throw new Error('FAILURE');
      });
      expect(await transfers(gid, [account], { retryInterval: 1 }).submit(WAIT)).toEqual({ gid, status: 'submitted' });
      await final(gid, 'succeed');
    });

    test('a branch slower than the window', async () => {
      const [gid, account, leave] = [randomUUID(), await bank.account(10), gate()];
      bank.scripts.on(account, 'action', () => leave.opened);
      expect(await transfers(gid, [account], { requestTimeout: 30, retryInterval: 7 }).submit(WAIT)).toEqual({
        gid,
        status: 'submitted',
      });
      leave.open();
      await final(gid, 'succeed');
      expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    }, 40_000);

    test('a service that is down', async () => {
      const gid = randomUUID();
      const saga = bank.dtm.saga(gid, { retryLimit: 0 });
      saga.step(httpBranch<Transfer>('http://127.0.0.1:1/down'), null, { account: '', amount: 1 });
      expect(await saga.submit(WAIT)).toEqual({ gid, status: 'submitted' });
      // DTM would call it for ever.
      const response = await fetch(`${http}/api/dtmsvr/forceStop`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ gid }),
      });
      expect(response.status).toBe(200);
    });

    test('a retry limit that is hit rolls back with the reason', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      bank.scripts.on(account, 'action', () => {
        throw new Error('never works');
      });
      const result = await transfers(gid, [account], { retryLimit: 2 }).submit(WAIT);
      expect(result.status).toMatch(/aborting|failed/);
      expect(result.reason).toContain('RetryCount is greater than RetryLimit');
    });
  });

  describe('with HTTP branches', () => {
    const at = (path: string) => httpBranch<Transfer>(`${foreignUrl}${path}`);

    test('200 is a success', async () => {
      const gid = randomUUID();
      const saga = bank.dtm.saga(gid).step(at('/do'), at('/undo'), { account: 'x', amount: 1 });
      expect(await ended(saga)).toEqual({ gid, status: 'succeed' });
      expect(foreignCalls).toEqual(['POST /do']);
    });

    test('409 rolls back, and takes a gRPC step before it back', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      answers.push(409);
      const saga = transfers(gid, [account]).step(at('/do'), at('/undo'), { account: 'x', amount: 1 });
      expect((await ended(saga)).status).toBe('failed');
      expect(foreignCalls).toEqual(['POST /do', 'POST /undo']);
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
    });

    test('503 is tried again', async () => {
      const gid = randomUUID();
      answers.push(503);
      const saga = bank.dtm.saga(gid, { retryInterval: 1 }).step(at('/do'), at('/undo'), { account: 'x', amount: 1 });
      expect(await saga.submit(WAIT)).toEqual({ gid, status: 'submitted' });
      await final(gid, 'succeed');
      expect(foreignCalls).toEqual(['POST /do', 'POST /do']);
    });

    test('our own branches answer what DTM understands, signature and words included', async () => {
      const [gid, good, poor] = [randomUUID(), await bank.account(10), await bank.account(1)];
      const withdraw = httpBranch<Transfer>(`${bank.http}/withdraw`);
      const revert = httpBranch<Transfer>(`${bank.http}/withdrawRevert`);
      const first = bank.dtm.saga(gid).step(withdraw, revert, { account: good, amount: 3 });
      expect(await ended(first)).toEqual({ gid, status: 'succeed' });
      const second = bank.dtm.saga(`${gid}-2`);
      for (const account of [good, poor]) second.step(withdraw, revert, { account, amount: 3 });
      expect(await ended(second)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('has not enough'),
      });
      expect(await bank.state(good)).toEqual({ balance: 7, hits: 3 });
      expect(await bank.state(poor)).toEqual({ balance: 1, hits: 0 });
    });
  });

  test('concurrent steps keep the order asked for, and are all taken back', async () => {
    const gid = randomUUID();
    const accounts = [await bank.account(10), await bank.account(10), await bank.account(1)];
    const result = await ended(transfers(gid, accounts, { concurrent: true, orders: { 2: [0, 1] } }));
    expect(result).toMatchObject({ status: 'failed' });
    for (const account of accounts.slice(0, 2)) expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
    const calls = bank.scripts.calls.filter((call) => accounts.some((account) => call.startsWith(account)));
    expect(calls.indexOf(`${accounts[2]} action`)).toBe(2);
  });

  test('a step without an action is compensated when a later one is refused, in its turn', async () => {
    const [gid, good, poor] = [randomUUID(), await bank.account(10), await bank.account(1)];
    const undo = httpBranch<Transfer>(`${foreignUrl}/undo`);
    const build = (id: string, last: string) =>
      bank.dtm
        .saga(id)
        .step(null, undo, { account: 'x', amount: 1 })
        .step(Bank.withdraw, Bank.withdrawRevert, { account: last, amount: 3 });
    expect(await ended(build(gid, good))).toEqual({ gid, status: 'succeed' });
    expect(foreignCalls).toEqual([]);
    expect(await ended(build(`${gid}-2`, poor))).toMatchObject({ status: 'failed' });
    expect(foreignCalls).toEqual(['POST /undo']);
  });

  test('a saga whose time is over is rolled back by the next branch that is to take effect', async () => {
    const [gid, first, second] = [randomUUID(), await bank.account(10), await bank.account(10)];
    const began = Date.now();
    // It fails for the moment until the time is over, and would work then.
    bank.scripts.on(second, 'action', () => {
      if (Date.now() - began < 1_000) throw new Error('not now');
    });
    const result = await ended(transfers(gid, [first, second], { timeoutToFail: 1 }));
    expect(result).toEqual({ gid, status: 'failed', reason: 'Timeout after 1 seconds' });
    expect(await bank.state(first)).toEqual({ balance: 10, hits: 2 });
    expect(await bank.state(second)).toEqual({ balance: 10, hits: 0 });
    // It is final, for a run that comes later, too.
    expect((await bank.barrierRows(gid)).filter((row) => row.startsWith('02'))).toEqual([
      '02 action compensate',
      '02 compensate Timeout after 1 seconds',
    ]);
  });

  test('branch headers reach the branches', async () => {
    const seen: unknown[] = [];
    foreign.once('request', (request) => seen.push(request.headers['x-request-id']));
    const saga = bank.dtm.saga(randomUUID(), { headers: { 'x-request-id': 'r-1' } });
    await saga.step(httpBranch<Transfer>(`${foreignUrl}/do`), null, { account: 'x', amount: 1 }).submit(WAIT);
    expect(seen).toEqual(['r-1']);
  });
});
