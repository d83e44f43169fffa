import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { DtmOutcomeUnknown, DtmProtocolError, DtmRefused, DtmUnavailable } from '../src/index.js';
import { freePort } from '../src/testing/index.js';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { env } from './support/env.js';
import { type LossyProxy, startProxy } from './support/proxy.js';
import { gate, until } from './support/until.js';

describe('submit', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let proxy: LossyProxy;
  let strangeUrl: string;
  let strangeAnswer = '';
  const strange = createServer((_, response) => response.end(strangeAnswer));

  beforeAll(async () => {
    database = await throwAwayDatabase();
    proxy = await startProxy(env.dtmGrpc);
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
    strangeUrl = `http://127.0.0.1:${(strange.address() as AddressInfo).port}`;
    const closed = await freePort();
    bank = await startBank(database.dataSource, {
      servers: {
        default: { grpc: env.dtmGrpc, http: env.dtmHttp },
        proxied: { grpc: proxy.address, http: env.dtmHttp },
        down: { grpc: `127.0.0.1:${closed}`, http: `http://127.0.0.1:${closed}`, deadlineMs: 1_000 },
        unasked: { grpc: env.dtmGrpc, http: `http://127.0.0.1:${closed}` },
        halfDown: { grpc: `127.0.0.1:${closed}`, http: env.dtmHttp, deadlineMs: 1_000 },
        strange: { grpc: env.dtmGrpc, http: strangeUrl },
        swapped: { grpc: strangeUrl.slice('http://'.length), http: env.dtmHttp, deadlineMs: 1_000 },
      },
    });
  });
  afterAll(async () => {
    await bank?.close();
    await proxy?.close();
    strange.close();
    await database?.drop();
  });

  function saga(gid: string, account: string, server = 'default') {
    return bank.dtm.saga(gid, { server }).step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 3 });
  }
  const ended = (gid: string) =>
    until('the end', async () => /succeed|failed/.test((await bank.dtm.query(gid))?.status ?? ''));

  test('the same gid 20 times at once: one transaction, its handler runs once, 20 true answers', async () => {
    const [gid, account] = [randomUUID(), await bank.account(100)];
    const results = await Promise.all(
      Array.from({ length: 20 }, () => saga(gid, account).submit({ waitResult: true })),
    );
    expect(results).toEqual(results.map(() => ({ gid, status: 'succeed' })));
    expect(await bank.state(account)).toEqual({ balance: 97, hits: 1 });
    expect(bank.scripts.count(account, 'action')).toBe(1);
  });

  test('the same gid at once from processes that do not know of each other: one effect, true answers', async () => {
    const [gid, account] = [randomUUID(), await bank.account(100)];
    const others = await Promise.all(
      [0, 1, 2, 3].map(() => startBank(database.dataSource, { branches: { 'bank.Bank': bank.grpcAddress } })),
    );
    const results = await Promise.all(
      [bank, ...others].map(({ dtm }) =>
        dtm.saga(gid).step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 3 }).submit({ waitResult: true }),
      ),
    );
    await Promise.all(others.map((other) => other.close()));
    for (const { status } of results) expect(['succeed', 'submitted']).toContain(status);
    await ended(gid);
    expect(await bank.state(account)).toEqual({ balance: 97, hits: 1 });
  });

  test('a repeat while the saga runs does not run its branches again', async () => {
    const [gid, account, leave] = [randomUUID(), await bank.account(10), gate()];
    bank.scripts.on(account, 'action', () => leave.opened);
    await saga(gid, account).submit({ fresh: true });
    await until('the action runs', () => bank.scripts.count(account, 'action'));
    expect(await saga(gid, account).submit()).toEqual({ gid, status: 'submitted' });
    leave.open();
    await ended(gid);
    expect(bank.scripts.count(account, 'action')).toBe(1);
  });

  test('a repeat with waitResult waits for the running saga', async () => {
    const [gid, account, leave] = [randomUUID(), await bank.account(10), gate()];
    bank.scripts.on(account, 'action', () => leave.opened);
    await saga(gid, account).submit({ fresh: true });
    const repeat = saga(gid, account).submit({ waitResult: true });
    await until('the action runs', () => bank.scripts.count(account, 'action'));
    leave.open();
    expect(await repeat).toEqual({ gid, status: 'succeed' });
  });

  test.each([10, 1])('a repeat after the end tells how it ended (balance %i), and runs nothing', async (balance) => {
    const [gid, account] = [randomUUID(), await bank.account(balance)];
    const first = await saga(gid, account).submit({ fresh: true, waitResult: true });
    const calls = bank.scripts.calls.length;
    for (const options of [{}, { waitResult: true }, { fresh: true }]) {
      expect(await saga(gid, account).submit(options)).toEqual(first);
    }
    expect(first.status).toBe(balance === 10 ? 'succeed' : 'failed');
    expect(bank.scripts.calls.length).toBe(calls);
  });

  test.each([{}, { fresh: true }])(
    'a lost reply is found out: acknowledged, and submitted once (%p)',
    async (options) => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      await saga(randomUUID(), account, 'proxied').submit({ fresh: true });
      proxy.dropReplies();
      const submitted = saga(gid, account, 'proxied').submit(options);
      await until('DTM has it', () => bank.dtm.query(gid));
      proxy.cut();
      expect((await submitted).status).toMatch(/submitted|succeed/);
      await ended(gid);
      expect(bank.scripts.count(account, 'action')).toBe(2);
    },
  );

  test('a server that swallows the reply and keeps the connection: still acknowledged within the deadline', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    await saga(randomUUID(), account, 'proxied').submit({ fresh: true });
    proxy.dropReplies();
    const started = performance.now();
    expect((await saga(gid, account, 'proxied').submit({ fresh: true })).status).toMatch(/submitted|succeed/);
    expect(performance.now() - started).toBeLessThan(3_000);
    proxy.cut();
  });

  test.each([{}, { fresh: true }, { waitResult: true }, { fresh: true, waitResult: true }])(
    'DTM down: DtmUnavailable within the deadline (%p)',
    async (options) => {
      const started = performance.now();
      await expect(saga(randomUUID(), 'none', 'down').submit(options)).rejects.toBeInstanceOf(DtmUnavailable);
      expect(performance.now() - started).toBeLessThan(1_500);
    },
  );

  test('gRPC down, HTTP up: DtmUnavailable, nothing was sent', async () => {
    await expect(saga(randomUUID(), 'none', 'halfDown').submit()).rejects.toBeInstanceOf(DtmUnavailable);
  });

  test.each([false, true])('a fresh submit that goes well makes no query (waitResult %p)', async (waitResult) => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    const result = await saga(gid, account, 'unasked').submit({ fresh: true, waitResult });
    expect(result).toEqual({ gid, status: waitResult ? 'succeed' : 'submitted' });
    await ended(gid);
    expect(bank.scripts.count(account, 'action')).toBe(1);
  });

  test('DTM down: a query says so too', async () => {
    await expect(bank.dtm.query('x', { server: 'down' })).rejects.toBeInstanceOf(DtmUnavailable);
  });

  test('the submitter finds a DTM that comes back within its deadline', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    await saga(randomUUID(), account, 'proxied').submit({ fresh: true });
    proxy.cut();
    expect((await saga(gid, account, 'proxied').submit()).status).toMatch(/submitted|succeed/);
    await ended(gid);
  });

  test('something that is no gRPC server: a typed error within the deadline', async () => {
    const started = performance.now();
    await expect(saga(randomUUID(), 'none', 'swapped').submit()).rejects.toMatchObject({ name: /^Dtm/ });
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test.each(['<html>', '[]', '{"transaction":{"gid":"g","status":"odd"}}', 'null'])(
    'a query answered with %s is a DtmProtocolError that quotes it',
    async (body) => {
      strangeAnswer = body;
      await expect(bank.dtm.query('g', { server: 'strange' })).rejects.toBeInstanceOf(DtmProtocolError);
      await expect(bank.dtm.query('g', { server: 'strange' })).rejects.toThrow(body);
    },
  );

  test('acknowledged, but not in the store: DtmOutcomeUnknown', async () => {
    strangeAnswer = '{"transaction":null,"branches":[]}';
    const account = await bank.account(10);
    await expect(saga(randomUUID(), account, 'strange').submit()).rejects.toBeInstanceOf(DtmOutcomeUnknown);
    await until('its action takes effect', async () => (await bank.state(account)).hits === 1);
  });

  test('the gid of a transaction of another type is refused', async () => {
    const gid = randomUUID();
    const body = JSON.stringify({ gid, trans_type: 'msg', steps: [], payloads: [] });
    await fetch(`${env.dtmHttp}/api/dtmsvr/prepare`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    await expect(saga(gid, 'none').submit()).rejects.toBeInstanceOf(DtmRefused);
  });

  test('an unknown gid is null to a query', async () => {
    expect(await bank.dtm.query(randomUUID())).toBeNull();
  });
});
