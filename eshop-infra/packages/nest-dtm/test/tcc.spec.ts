import {
  type BranchMethod,
  DtmAborted,
  DtmBranchFailed,
  DtmOutcomeUnknown,
  DtmRefused,
  type DtmServerOptions,
  DtmUnavailable,
  httpBranch,
  type LocalStep,
  newGid,
  Refusal,
  type Tcc,
  type TccOptions,
  type Transaction,
} from '../src/index.js';
import { redisBarrier } from '../src/redis.js';
import { DtmCaller, freePort } from '../src/testing/index.js';
import { signature } from './support/bank.js';
import { stores } from './support/env.js';
import { Kiosk, type KioskApp, startKiosk, type Take, take } from './support/kiosk.js';
import { type LossyProxy, startProxy } from './support/proxy.js';
import { throwAwayRedis } from './support/redis.js';
import { gate, until } from './support/until.js';

const servers = [
  ...stores.map((server) => ({ ...server, protocol: 'grpc' as const })),
  { ...stores[0], protocol: 'http' as const },
];

describe.each(servers)('TCC, DTM on $store, told by $protocol', ({ grpc, http, protocol }) => {
  let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
  let barrier: ReturnType<typeof redisBarrier>;
  let kiosk: KioskApp;
  let proxy: LossyProxy;
  const others: KioskApp[] = [];

  beforeAll(async () => {
    redis = await throwAwayRedis();
    barrier = redisBarrier(redis.redis);
    proxy = await startProxy(protocol === 'grpc' ? grpc : http.slice('http://'.length));
    const closed = await freePort();
    const proxied = protocol === 'grpc' ? { grpc: proxy.address, http } : { http: `http://${proxy.address}` };
    kiosk = await startKiosk(barrier, {
      servers: {
        default: { grpc, http, protocol },
        proxied: { ...proxied, protocol },
        halfDown: { grpc, http: `http://127.0.0.1:${closed}`, protocol, deadlineMs: 1_000 },
        down: { grpc: `127.0.0.1:${closed}`, http: `http://127.0.0.1:${closed}`, protocol, deadlineMs: 1_000 },
      },
    });
  });
  afterAll(async () => {
    await kiosk?.close();
    await proxy?.close();
    await redis?.close();
  });

  const stored = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(`${gid} ${status}`, async () => {
      const transaction = await kiosk.dtm.query(gid);
      return transaction?.status === status && transaction;
    });
  /** What another process of the service would be, until the end of the test. */
  async function anotherKiosk(settings: Partial<DtmServerOptions> = {}): Promise<KioskApp> {
    const other = await startKiosk(barrier, {
      servers: { default: { grpc, http, protocol, ...settings } },
      branches: { 'kiosk.Kiosk': kiosk.grpcAddress },
    });
    others.push(other);
    return other;
  }
  afterEach(async () => {
    await Promise.all(others.splice(0).map((other) => other.close()));
  });
  const takeFrom = (tcc: Tcc, key: string): Promise<void> =>
    tcc.branch(Kiosk.take, Kiosk.takeConfirm, Kiosk.takeRevert, { key, amount: 3 });
  const takeAll =
    (...keys: string[]) =>
    async (tcc: Tcc): Promise<string> => {
      for (const key of keys) await takeFrom(tcc, key);
      return 'all taken';
    };
  const run = (gid: string, keys: string[], options: TccOptions = { waitResult: true }) =>
    kiosk.dtm.tcc(gid, takeAll(...keys), options);
  const confirmed = { left: 7, hits: { try: '1', confirm: '1' } };
  const cancelled = { left: 10, hits: { try: '1', cancel: '1' } };

  test('all tries succeed: all are confirmed', async () => {
    const [gid, one, two] = [redis.newGid(), await redis.counter(), await redis.counter()];
    expect(await run(gid, [one, two])).toEqual({ gid, status: 'succeed', value: 'all taken', repeat: false });
    expect([await redis.state(one), await redis.state(two)]).toEqual([confirmed, confirmed]);
    expect(await kiosk.dtm.query(gid)).toMatchObject({ transType: 'tcc', status: 'succeed' });
  });

  test('branches tried at the same time', async () => {
    const [gid, one, two] = [redis.newGid(), await redis.counter(), await redis.counter()];
    await kiosk.dtm.tcc(gid, (tcc) => Promise.all([takeFrom(tcc, one), takeFrom(tcc, two)]), { waitResult: true });
    expect([await redis.state(one), await redis.state(two)]).toEqual([confirmed, confirmed]);
  });

  test('without waitResult the answer is that it is submitted', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    expect(await run(gid, [key], {})).toMatchObject({ status: 'submitted' });
    await stored(gid, 'succeed');
  });

  test('branches over HTTP', async () => {
    const [gid, good, poor] = [redis.newGid(), await redis.counter(), await redis.counter(1)];
    const at = (path: string) => httpBranch<Take>(`${kiosk.http}/${path}`);
    const work = (key: string) => (tcc: Tcc) =>
      tcc.branch(at('take'), at('takeConfirm'), at('takeRevert'), { key, amount: 3 });
    await kiosk.dtm.tcc(gid, work(good), { waitResult: true });
    expect(await redis.state(good)).toEqual(confirmed);
    await expect(kiosk.dtm.tcc(redis.newGid(), work(poor))).rejects.toEqual(new Refusal('only 1 left'));
  });

  test('a try that refuses: what was tried is cancelled, what was refused is not undone, the words arrive', async () => {
    const [gid, good, poor] = [redis.newGid(), await redis.counter(), await redis.counter(1)];
    await expect(run(gid, [good, poor])).rejects.toEqual(new Refusal('only 1 left'));
    await stored(gid, 'failed');
    expect([await redis.state(good), await redis.state(poor)]).toEqual([cancelled, { left: 1, hits: {} }]);
  });

  test('a refusal that the work swallows, or never awaits: cancelled all the same', async () => {
    for (const swallow of [true, false]) {
      const [gid, good, poor] = [redis.newGid(), await redis.counter(), await redis.counter(1)];
      const tcc = kiosk.dtm.tcc(gid, async (under) => {
        await takeFrom(under, good);
        const refused = takeFrom(under, poor);
        if (swallow) await refused.catch(() => undefined);
      });
      await expect(tcc).rejects.toEqual(new Refusal('only 1 left'));
      await stored(gid, 'failed');
      expect(await redis.state(good)).toEqual(cancelled);
    }
  });

  test('work that throws after its tries: cancelled, its error is told, the reason is stored', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const work = async (tcc: Tcc): Promise<void> => {
      await takeFrom(tcc, key);
      throw new Error('changed my mind');
    };
    await expect(kiosk.dtm.tcc(gid, work)).rejects.toThrow('changed my mind');
    expect((await stored(gid, 'failed')).rollbackReason).toContain('changed my mind');
    expect(await redis.state(key)).toEqual(cancelled);
  });

  test('a try whose answer is lost is taken back', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    kiosk.twists.on(key, async (tx, message) => {
      await tx.run(take(message));
      throw new Error('after the effect');
    });
    await expect(run(gid, [key])).rejects.toBeInstanceOf(DtmBranchFailed);
    kiosk.twists.off(key);
    await stored(gid, 'failed');
    expect((await redis.state(key)).left).toBe(10);
  });

  test('a try slower than its timeout: cancelled, and it does nothing when it comes to it afterwards', async () => {
    const [gid, key, leave, left] = [redis.newGid(), await redis.counter(), gate(), gate()];
    kiosk.twists.on(key, async (tx, message) => {
      await leave.opened;
      await tx.run(take(message)).finally(left.open);
    });
    await expect(run(gid, [key], { requestTimeout: 1 })).rejects.toBeInstanceOf(DtmBranchFailed);
    await stored(gid, 'failed');
    leave.open();
    await left.opened;
    kiosk.twists.off(key);
    expect(await redis.state(key)).toEqual({ left: 10, hits: {} });
  });

  test('a try at a service that is down: cancelled', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const [down, confirm] = [httpBranch<Take>(`${nobody}/try`), httpBranch<Take>(`${nobody}/confirm`)];
    const work = async (tcc: Tcc): Promise<void> => {
      await takeFrom(tcc, key);
      await tcc.branch(down, confirm, httpBranch<Take>(`${kiosk.http}/takeRevert`), { key, amount: 1 });
    };
    await expect(kiosk.dtm.tcc(gid, work)).rejects.toBeInstanceOf(DtmBranchFailed);
    await stored(gid, 'failed');
    expect(await redis.state(key)).toEqual(cancelled);
  });

  test('a submitter that takes too long: DTM cancels, and the submitter is told', async () => {
    const [gid, key, other] = [redis.newGid(), await redis.counter(), await redis.counter()];
    const work = async (tcc: Tcc): Promise<void> => {
      await takeFrom(tcc, key);
      await stored(gid, 'failed');
      await takeFrom(tcc, other);
    };
    await expect(kiosk.dtm.tcc(gid, work, { timeoutToFail: 1 })).rejects.toBeInstanceOf(DtmAborted);
    expect([await redis.state(key), await redis.state(other)]).toEqual([cancelled, { left: 10, hits: {} }]);
    await expect(run(gid, [key])).rejects.toThrow(/^aborted before: Timeout after 1 seconds/);
  });

  test('cancelled behind the back of a complete work: its submit is not believed', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const work = async (tcc: Tcc): Promise<void> => {
      await takeFrom(tcc, key);
      await stored(gid, 'failed');
    };
    await expect(kiosk.dtm.tcc(gid, work, { timeoutToFail: 1 })).rejects.toThrow(/^aborted before: Timeout/);
  });

  test('the same gid 8 times at once, and afterwards: one effect, true answers', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const results = await Promise.all(Array.from({ length: 8 }, () => run(gid, [key])));
    results.push(await run(gid, [key]));
    expect(results.map(({ status }) => status)).toEqual(results.map(() => 'succeed'));
    expect(results.filter(({ repeat }) => !repeat)).toHaveLength(1);
    expect(await redis.state(key)).toEqual(confirmed);
  });

  test('the same gid at once from processes that do not know of each other: one carries it out, all are told', async () => {
    const [gid, key, second] = [redis.newGid(), await redis.counter(), await redis.counter()];
    const processes = [kiosk, await anotherKiosk(), await anotherKiosk()];
    const results = await Promise.all(
      processes.map(({ dtm }) => dtm.tcc(gid, takeAll(key, second), { waitResult: true })),
    );
    for (const { status } of results) expect(['submitted', 'succeed']).toContain(status);
    expect(results.filter(({ repeat }) => !repeat)).toHaveLength(1);
    await stored(gid, 'succeed');
    expect([await redis.state(key), await redis.state(second)]).toEqual([confirmed, confirmed]);
  });

  test('a process that comes while the work of another goes on: runs nothing, and is told the end or that it is unknown', async () => {
    const [gid, key, entered, leave] = [redis.newGid(), await redis.counter(), gate(), gate()];
    const other = await anotherKiosk({ deadlineMs: 500 });
    const work = async (): Promise<void> => {
      throw new Error('begun');
    };
    const first = kiosk.dtm.tcc(gid, async (tcc) => {
      await takeFrom(tcc, key);
      entered.open();
      await leave.opened;
    });
    await entered.opened;
    await expect(other.dtm.tcc(gid, work)).rejects.toBeInstanceOf(DtmOutcomeUnknown);
    const second = other.dtm.tcc(gid, work, { waitResult: true });
    leave.open();
    expect(await first).toMatchObject({ status: 'submitted', repeat: false });
    expect(await second).toEqual({ gid, status: expect.stringMatching(/submitted|succeed/), repeat: true });
    await stored(gid, 'succeed');
    expect(await redis.state(key)).toEqual(confirmed);
  });

  test('a process that comes while the work of another goes on, which then fails: cancelled for both', async () => {
    const [gid, key, entered, leave] = [redis.newGid(), await redis.counter(), gate(), gate()];
    const other = await anotherKiosk();
    const first = kiosk.dtm.tcc(gid, async (tcc) => {
      await takeFrom(tcc, key);
      entered.open();
      await leave.opened;
      throw new Refusal('changed my mind');
    });
    const refused = expect(first).rejects.toEqual(new Refusal('changed my mind'));
    await entered.opened;
    const second = expect(other.dtm.tcc(gid, takeAll(key))).rejects.toThrow(/^aborted before: changed my mind/);
    leave.open();
    await Promise.all([refused, second]);
    await stored(gid, 'failed');
    expect(await redis.state(key)).toEqual(cancelled);
  });

  test('custom data is found again, beside the mark of whose it is', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    await run(gid, [key], { customData: { order: '17' } });
    const { customData } = await stored(gid, 'succeed');
    expect(customData).toEqual({ order: '17', tccOwner: expect.stringMatching(/^[\w-]{16}$/) });
  });

  test('the gid of a message that waits for its local step is refused', async () => {
    const [gid, to, entered, leave] = [redis.newGid(), await redis.counter(), gate(), gate()];
    const other = await anotherKiosk();
    const local: LocalStep<unknown> = {
      run: async () => {
        entered.open();
        await leave.opened;
        throw new Refusal('no');
      },
      check: async () => 'rolled-back',
    };
    const message = other.dtm.message(gid).step(Kiosk.take, { key: to, amount: 1 });
    const refused = expect(message.prepareAndSubmit(local, { backCheck: Kiosk.asked })).rejects.toEqual(
      new Refusal('no'),
    );
    await entered.opened;
    await expect(run(gid, [to])).rejects.toBeInstanceOf(DtmRefused);
    leave.open();
    await refused;
    expect(await redis.state(to)).toEqual({ left: 10, hits: {} });
  });

  test('a try that comes after its cancellation is refused, and the TCC does not resolve', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const caller = new DtmCaller({ signature, http: kiosk.http });
    const cancelling = { gid, transType: 'tcc', branchId: '01', op: 'cancel' };
    expect((await caller.http('/takeRevert', cancelling, { key, amount: 3 })).status).toBe(200);
    caller.close();
    await expect(run(gid, [key])).rejects.toEqual(new Refusal('this branch has been compensated'));
    await stored(gid, 'failed');
    expect(await redis.state(key)).toEqual({ left: 10, hits: {} });
  });

  test('a repeat after a refusal is refused', async () => {
    const [gid, poor] = [redis.newGid(), await redis.counter(1)];
    await expect(run(gid, [poor])).rejects.toEqual(new Refusal('only 1 left'));
    await redis.redis.set(poor, 100);
    await expect(run(gid, [poor])).rejects.toThrow(/^aborted before: only 1 left/);
    expect((await redis.state(poor)).hits).toEqual({});
  });

  test('a lost reply to prepare, to a registration or to submit: one effect, true answers', async () => {
    for (const step of ['prepare', 'register', 'submit']) {
      const [gid, warm, one, two] = [
        redis.newGid(),
        await redis.counter(),
        await redis.counter(),
        await redis.counter(),
      ];
      await kiosk.dtm.tcc(redis.newGid(), takeAll(warm), { server: 'proxied' });
      const lose = async (told: () => Promise<unknown>): Promise<void> => {
        proxy.dropReplies();
        void until('DTM has it', told).then(() => proxy.cut());
      };
      const branches = async () => (await kiosk.dtm.query(gid))?.branches.length;
      if (step === 'prepare') await lose(() => kiosk.dtm.query(gid));
      const work = async (tcc: Tcc): Promise<void> => {
        await takeFrom(tcc, one);
        if (step === 'register') await lose(async () => (await branches()) === 4);
        await takeFrom(tcc, two);
        if (step === 'submit') await lose(async () => (await kiosk.dtm.query(gid))?.status !== 'prepared');
      };
      const result = await kiosk.dtm.tcc(gid, work, { server: 'proxied' });
      expect(result.status).toMatch(/submitted|succeed/);
      await stored(gid, 'succeed');
      expect([await redis.state(one), await redis.state(two)]).toEqual([confirmed, confirmed]);
    }
  });

  test('a confirmation that fails is called again until it works', async () => {
    const [gid, key] = [redis.newGid(), await redis.counter()];
    const nobody = await freePort();
    const confirm = httpBranch<Take>(`http://127.0.0.1:${nobody}/confirm`);
    const at = (path: string) => httpBranch<Take>(`${kiosk.http}/${path}`);
    const result = await kiosk.dtm.tcc(
      gid,
      (tcc) => tcc.branch(at('take'), confirm, at('takeRevert'), { key, amount: 3 }),
      { waitResult: true, retryInterval: 1 },
    );
    expect(result.status).toBe('submitted');
    await fetch(`${http}/api/dtmsvr/forceStop`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ gid }),
    });
  });

  test.each(['down', 'halfDown'])(
    'DTM down, or only its HTTP side: DtmUnavailable, the work is not begun (%s)',
    async (server) => {
      const work = async (): Promise<void> => {
        throw new Error('begun');
      };
      await expect(kiosk.dtm.tcc(redis.newGid(), work, { server })).rejects.toBeInstanceOf(DtmUnavailable);
    },
  );

  test('a wrong option or branch fails with its name', async () => {
    const invalid = (field: string) => expect.objectContaining({ code: 'DTM_INVALID_OPTION', field });
    await expect(run('', [])).rejects.toEqual(invalid('gid'));
    await expect(run(newGid(), [], { timeoutToFail: -1 })).rejects.toEqual(invalid('timeoutToFail'));
    await expect(run(newGid(), [], { customData: { tccOwner: 'me' } })).rejects.toEqual(invalid('customData.tccOwner'));
    const odd = { ...Kiosk.take, path: '/other.Service/Do' };
    const payload = { key: 'x', amount: 1 };
    const { take, takeConfirm, takeRevert } = Kiosk;
    const tried = (...methods: [BranchMethod<Take>, BranchMethod<Take>, BranchMethod<Take>]) =>
      kiosk.dtm.tcc(newGid(), (tcc) => tcc.branch(...methods, payload));
    await expect(tried(odd, takeConfirm, takeRevert)).rejects.toEqual(invalid('branches.0.try'));
    await expect(tried(take, httpBranch<Take>('http://x/y'), takeRevert)).rejects.toEqual(invalid('branches.0'));
    await expect(tried(take, take, takeRevert)).rejects.toEqual(invalid('branches.0.confirm'));
    await expect(tried(take, takeConfirm, take)).rejects.toEqual(invalid('branches.0.cancel'));
    await expect(tried(take, takeConfirm, takeConfirm)).rejects.toEqual(invalid('branches.0.cancel'));
    await expect(
      kiosk.dtm.tcc(newGid(), (tcc) => tcc.branch(take, takeConfirm, takeRevert, undefined as unknown as Take)),
    ).rejects.toEqual(invalid('branches.0.payload'));
  });

  test('a branch added after the work has returned is refused', async () => {
    const kept: Tcc[] = [];
    await kiosk.dtm.tcc(redis.newGid(), async (tcc) => {
      kept.push(tcc);
    });
    await expect(takeFrom(kept[0] as Tcc, 'x')).rejects.toThrow(/not awaited/);
  });
});
