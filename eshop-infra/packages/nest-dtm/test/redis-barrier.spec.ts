import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { DtmInvalidOption, Refusal } from '../src/index.js';
import { adjustAmount, DtmCrossSlot, redisBarrier } from '../src/redis.js';
import { backCheckOf, type DtmCall, DtmCaller, freePort } from '../src/testing/index.js';
import { transports } from './support/adapters.js';
import { signature } from './support/bank.js';
import { Kiosk, type KioskApp, startKiosk, type Take, take } from './support/kiosk.js';
import { hear } from './support/log.js';
import { throwAwayRedis } from './support/redis.js';
import { gate, until } from './support/until.js';

const OK = { grpc: 0, http: 200 };
const REFUSED = { grpc: 10, http: 409 };
const RETRY = { grpc: 14, http: 503 };
const EIGHT_DAYS = 8 * 86_400;

describe.each(transports)('Redis barrier over %s (%s)', (transport, adapter) => {
  let store: Awaited<ReturnType<typeof throwAwayRedis>>;
  let kiosk: KioskApp;
  let caller: DtmCaller;

  beforeAll(async () => {
    store = await throwAwayRedis();
    kiosk = await startKiosk(redisBarrier(store.redis), {}, adapter);
    caller = new DtmCaller({ signature, grpcAddress: kiosk.grpcAddress, http: kiosk.http });
  });
  afterAll(async () => {
    caller?.close();
    await kiosk?.close();
    await store?.close();
  });

  const newGid = () => `{${store.tag}}-${randomUUID()}`;

  /** A counter that stands at `units`. */
  async function counter(units: number): Promise<string> {
    const key = `{${store.tag}}:${randomUUID()}`;
    await store.redis.set(key, units);
    return key;
  }

  async function state(key: string) {
    const { action = '0', compensate = '0' } = await store.redis.hgetall(`${key}:hits`);
    return { left: Number(await store.redis.get(key)), taken: Number(action), returned: Number(compensate) };
  }

  async function call(key: string, who: DtmCall, amount = 3): Promise<number> {
    const payload: Take = { key, amount };
    const undo = who.op === 'compensate';
    const answer =
      transport === 'grpc'
        ? await caller.grpc(undo ? Kiosk.takeRevert : Kiosk.take, who, payload)
        : await caller.http(undo ? '/takeRevert' : '/take', who, payload);
    return answer.status;
  }

  test('an action takes effect and is remembered for longer than DTM may ask', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    expect(await call(key, { gid })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 7, taken: 1, returned: 0 });
    expect(kiosk.twists.values.at(-1)).toBe(7);
    expect(await store.redis.get(`dtm:${gid};01;action`)).toBe('action');
    expect(await store.redis.ttl(`dtm:${gid};01;action`)).toBeGreaterThan(EIGHT_DAYS - 60);
  });

  test('the repeat of an action that took the last unit is a success, not a refusal', async () => {
    const [gid, key] = [newGid(), await counter(3)];
    for (let repeat = 0; repeat < 3; repeat++) expect(await call(key, { gid })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 0, taken: 1, returned: 0 });
    expect(await call(key, { gid: newGid() })).toBe(REFUSED[transport]);
  });

  test('the same branch 50 times at once has one effect and 50 successes', async () => {
    const [gid, key] = [newGid(), await counter(3)];
    const answers = await Promise.all(Array.from({ length: 50 }, () => call(key, { gid })));
    expect(new Set(answers)).toEqual(new Set([OK[transport]]));
    expect(await state(key)).toEqual({ left: 0, taken: 1, returned: 0 });
  });

  test('50 transactions at once for 20 units: 20 are served', async () => {
    const key = await counter(20);
    const answers = await Promise.all(Array.from({ length: 50 }, () => call(key, { gid: newGid() }, 1)));
    expect(answers.filter((status) => status === OK[transport])).toHaveLength(20);
    expect(answers.filter((status) => status === REFUSED[transport])).toHaveLength(30);
    expect(await state(key)).toEqual({ left: 0, taken: 20, returned: 0 });
  });

  test('a refusal is told with its words and is final: neither a repeat nor its compensation does anything', async () => {
    const [gid, key] = [newGid(), await counter(2)];
    expect(await call(key, { gid })).toBe(REFUSED[transport]);
    await store.redis.set(key, 100);
    const answer = await caller.grpc(Kiosk.take, { gid }, { key, amount: 3 });
    expect(answer).toMatchObject({ status: REFUSED.grpc, text: 'only 2 left' });
    await store.redis.set(key, 2);
    expect(await call(key, { gid, op: 'compensate' })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 2, taken: 0, returned: 0 });
  });

  test('a compensation takes the effect back once, however often it comes', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    await call(key, { gid });
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(key, { gid, op: 'compensate' })));
    expect(new Set(answers)).toEqual(new Set([OK[transport]]));
    expect(await state(key)).toEqual({ left: 10, taken: 1, returned: 1 });
    // A second executor of the transaction must not go on from here.
    expect(await call(key, { gid })).toBe(REFUSED[transport]);
    expect(await state(key)).toEqual({ left: 10, taken: 1, returned: 1 });
  });

  test('a refusal of the handler itself, before any script, is final too', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    kiosk.twists.on(key, () => {
      throw new Refusal('not on Sundays');
    });
    expect(await call(key, { gid })).toBe(REFUSED[transport]);
    kiosk.twists.off(key);
    expect(await caller.grpc(Kiosk.take, { gid }, { key, amount: 3 })).toMatchObject({
      status: REFUSED.grpc,
      text: 'not on Sundays',
    });
    expect(await call(key, { gid, op: 'compensate' })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 10, taken: 0, returned: 0 });
  });

  test('a handler that refuses behind its script, which took effect, is called again and told of the repeat', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    kiosk.twists.on(key, async (tx, message) => {
      await tx.run(take(message));
      throw new Refusal('too late');
    });
    expect(await call(key, { gid })).toBe(RETRY[transport]);
    expect(await call(key, { gid })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 7, taken: 1, returned: 0 });
  });

  test('a compensation of an action that never came does nothing, and the action does nothing when it comes late', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    expect(await call(key, { gid, op: 'compensate' })).toBe(OK[transport]);
    expect(await call(key, { gid })).toBe(REFUSED[transport]);
    expect(await call(key, { gid, op: 'compensate' })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 10, taken: 0, returned: 0 });
  });

  test('the compensation of a key that is gone ends well', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    await call(key, { gid });
    await store.redis.del(key);
    expect(await call(key, { gid, op: 'compensate' })).toBe(OK[transport]);
    expect(await store.redis.exists(key)).toBe(0);
  });

  test('branches of one transaction, and gids of which one begins with the other, are told apart', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    for (const who of [
      { gid },
      { gid, branchId: '02' },
      { gid: `${gid}-01` },
      { gid, branchId: '01-02' },
      { gid: `${gid}0` },
    ]) {
      expect(await call(key, who, 1)).toBe(OK[transport]);
    }
    expect(await state(key)).toEqual({ left: 5, taken: 5, returned: 0 });
  });

  test('a refusal stays one, whatever the handler makes of it', async () => {
    const [gid, key] = [newGid(), await counter(2)];
    kiosk.twists.on(key, (tx, message) => tx.run(take(message)).catch(() => undefined));
    expect(await call(key, { gid })).toBe(REFUSED[transport]);
  });

  test('a handler that fails after its script is called again, and the effect counts once', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    kiosk.twists.on(key, async (tx, message) => {
      await tx.run(take(message));
      throw new Error('what came after');
    });
    expect(await call(key, { gid })).toBe(RETRY[transport]);
    expect(await call(key, { gid })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 7, taken: 1, returned: 0 });
  });

  test('a handler that runs no script, or two, is an error that DTM repeats', async () => {
    const [gid, key, heard] = [newGid(), await counter(10), hear(kiosk.app)];
    kiosk.twists.on(key, () => undefined);
    expect(await call(key, { gid })).toBe(RETRY[transport]);
    expect(heard.error).toEqual([
      expect.stringContaining(`branch ${gid}/01 action will be called again: DTM_NO_SCRIPT: `),
    ]);
    kiosk.twists.on(key, async (tx, message) => {
      await tx.run(take(message));
      await tx.run(take(message));
    });
    expect(await call(key, { gid })).toBe(RETRY[transport]);
    expect(await state(key)).toEqual({ left: 7, taken: 1, returned: 0 });
  });

  test('a script run after the handler has returned is rejected', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    const [returned, late] = [gate(), Promise.withResolvers<unknown>()];
    kiosk.twists.on(key, (tx, message) => {
      returned.opened.then(() => tx.run(take(message))).catch(late.resolve);
    });
    await call(key, { gid });
    returned.open();
    expect(String(await late.promise)).toMatch(/has ended/);
    expect((await state(key)).left).toBe(10);
  });

  test.each([
    ['an error of Redis', `return redis.call('HGET', KEYS[1], 'x')`],
    ['an error reply', `return redis.error_reply('BAD luck')`],
    ['an error of Lua', 'return nothing.there'],
    ['a text that is no Lua', 'return return'],
  ])('%s means retry, even when the handler makes a refusal of it, and is not remembered', async (_, script) => {
    const [gid, key] = [newGid(), await counter(10)];
    kiosk.twists.on(key, (tx) =>
      tx.run({ keys: [key], script }).catch(() => {
        throw new Refusal('could not');
      }),
    );
    expect(await call(key, { gid })).toBe(RETRY[transport]);
    expect(await store.redis.exists(`dtm:${gid};01;action`)).toBe(0);
    kiosk.twists.off(key);
    expect(await call(key, { gid })).toBe(OK[transport]);
  });

  test('any script runs: its own KEYS, ARGV and values, comments and all', async () => {
    const [gid, key] = [newGid(), await counter(10)];
    let value: unknown;
    kiosk.twists.on(key, async (tx) => {
      expect(tx.active).toBe(true);
      expect(tx.branch).toEqual({ transType: 'saga', gid, branchId: '01', op: 'action' });
      value = await tx.run({
        keys: [key, `${key}:other`],
        args: ['a', 2, Buffer.from('c')],
        script: `local function shape() return {#KEYS, #ARGV, ARGV[1], ARGV[2], ARGV[3], op, redis.call('INCR', KEYS[2])} end
          return shape() -- the last line may be a comment`,
      });
    });
    expect(await call(key, { gid })).toBe(OK[transport]);
    expect(value).toEqual([2, 3, 'a', '2', 'c', 'action', 1]);
  });

  test('keys of another hash slot are a typed error, and a hash tag mends it', async () => {
    const [gid, key, heard] = [randomUUID(), await counter(10), hear(kiosk.app)];
    let error: unknown;
    kiosk.twists.on(key, (tx, message) =>
      tx.run(take(message)).catch((problem: unknown) => {
        error = problem;
        throw problem;
      }),
    );
    expect(await call(key, { gid })).toBe(RETRY[transport]);
    expect(error).toBeInstanceOf(DtmCrossSlot);
    expect(error).toMatchObject({ name: 'DtmCrossSlot', code: 'DTM_CROSS_SLOT', gid });
    expect((error as DtmCrossSlot).keys).toEqual([
      `dtm:${gid};01;action`,
      `dtm:${gid};01;compensate`,
      key,
      `${key}:hits`,
    ]);
    expect(heard.error).toEqual([expect.stringContaining('DTM_CROSS_SLOT')]);
    kiosk.twists.on(key, (tx, message) => tx.run({ ...take(message), hashTag: store.tag }));
    expect(await call(key, { gid })).toBe(OK[transport]);
    expect(await state(key)).toEqual({ left: 7, taken: 1, returned: 0 });
  });

  test('scripts survive that Redis forgets their text', async () => {
    const key = await counter(10);
    await call(key, { gid: newGid() }, 1);
    await store.redis.script('FLUSH');
    expect(await call(key, { gid: newGid() }, 1)).toBe(OK[transport]);
    expect((await state(key)).left).toBe(8);
  });

  test('a branch without a barrier runs each time, answers exactly 200, and is for signed calls too', async () => {
    const [gid, key] = [newGid(), randomUUID()];
    const bare = (who: DtmCall) =>
      transport === 'grpc'
        ? caller.grpc(Kiosk.bare, who, { key, amount: 1 })
        : caller.http('/bare', who, { key, amount: 1 });
    for (const op of ['action', 'compensate', 'compensate'])
      expect((await bare({ gid, op })).status).toBe(OK[transport]);
    expect((await bare({ gid, signature: 'none' })).status).toBe(transport === 'grpc' ? 16 : 401);
    expect(kiosk.twists.values.filter((value) => value === key)).toHaveLength(3);
  });

  describe('back-check', () => {
    const ask = async (who: DtmCall) =>
      (await (transport === 'grpc' ? caller.grpc(Kiosk.asked, who, {}) : caller.http('/asked', who))).status;

    test('says done after the local step, and never lets it run after it said no', async () => {
      const [gid, key] = [newGid(), await counter(10)];
      const step = redisBarrier(store.redis).local(take({ key, amount: 1 }));
      expect(await step.run(gid)).toEqual({ done: true, repeat: false, value: 9 });
      expect(await step.run(gid)).toEqual({ done: true, repeat: true });
      expect(await ask(backCheckOf(gid))).toBe(OK[transport]);
      expect(await step.check(gid)).toBe('done');

      const lost = newGid();
      expect(await ask(backCheckOf(lost))).toBe(REFUSED[transport]);
      expect(await step.run(lost)).toEqual({ done: false, why: 'rolled-back' });
      expect(await step.check(lost)).toBe('rolled-back');
      expect(await ask(backCheckOf(lost))).toBe(REFUSED[transport]);
      expect((await state(key)).left).toBe(9);
    });

    test('races the local step: both sides say the same', async () => {
      const key = await counter(100);
      const step = redisBarrier(store.redis).local(take({ key, amount: 1 }));
      let done = 0;
      for (let round = 0; round < 20; round++) {
        const gid = newGid();
        const [ran, ...asked] = await Promise.all([
          step.run(gid),
          ask(backCheckOf(gid)),
          ask(backCheckOf(gid)),
          ask(backCheckOf(gid)),
        ]);
        if (ran?.done) done++;
        expect(new Set(asked)).toEqual(new Set([ran?.done ? OK[transport] : REFUSED[transport]]));
      }
      expect((await state(key)).left).toBe(100 - done);
    });

    test('is for signed calls about messages only', async () => {
      const gid = newGid();
      expect(await ask({ ...backCheckOf(gid), signature: '' })).toBe(transport === 'grpc' ? 16 : 401);
      expect(await ask({ gid })).toBe(RETRY[transport]);
      expect(await ask(backCheckOf(gid.padEnd(129, 'x')))).toBe(REFUSED[transport]);
      expect(await store.redis.exists(`dtm:${gid};00;msg`)).toBe(0);
    });
  });
});

describe('Redis barrier', () => {
  let store: Awaited<ReturnType<typeof throwAwayRedis>>;
  beforeAll(async () => {
    store = await throwAwayRedis();
  });
  afterAll(() => store?.close());

  test('a refused local step is done by nobody and may be tried again', async () => {
    const [gid, key] = [`{${store.tag}}-${randomUUID()}`, `{${store.tag}}:${randomUUID()}`];
    const step = redisBarrier(store.redis).local(take({ key, amount: 1 }));
    await expect(step.run(gid)).rejects.toEqual(new Refusal('only 0 left'));
    await store.redis.set(key, 1);
    expect(await step.run(gid)).toEqual({ done: true, repeat: false, value: 0 });
    expect(await step.run(gid)).toEqual({ done: true, repeat: true });
  });

  test('the ready script adjusts a number, refuses below zero, and compensates a key that is gone', async () => {
    const [gid, key] = [`{${store.tag}}-${randomUUID()}`, `{${store.tag}}:${randomUUID()}`];
    const barrier = redisBarrier(store.redis);
    await expect(barrier.local(adjustAmount(key, -1)).run(gid)).rejects.toThrow(`there is no ${key}`);
    await store.redis.set(key, 5);
    expect(await barrier.local(adjustAmount(key, -5)).run(gid)).toMatchObject({ value: 0 });
    await expect(barrier.local(adjustAmount(key, -1)).run(`${gid}2`)).rejects.toThrow(`not enough of ${key}`);
  });

  test('a key prefix of the connection is no hindrance', async () => {
    const prefixed = new Redis(store.redis.options.port ?? 6379, { keyPrefix: `{${store.tag}}:p:` });
    const barrier = redisBarrier(prefixed);
    await prefixed.set('units', 5);
    const gid = randomUUID();
    expect(await barrier.local(adjustAmount('units', -1)).run(gid)).toEqual({ done: true, repeat: false, value: 4 });
    expect(await barrier.backCheck(gid)).toBe('done');
    await prefixed.quit();
  });

  test('a key of one own choosing holds the hash tag', async () => {
    const key = `{${store.tag}}:${randomUUID()}`;
    await store.redis.set(key, 5);
    const barrier = redisBarrier(store.redis, { keyOf: ({ gid }) => `{${store.tag}}/${gid}` });
    expect(await barrier.local(adjustAmount(key, -1)).run(randomUUID())).toMatchObject({ done: true });
  });

  test('a Redis that is down is an error within the deadline', async () => {
    const redis = new Redis(await freePort(), { retryStrategy: () => 50, lazyConnect: true });
    redis.on('error', () => undefined);
    const started = performance.now();
    const step = redisBarrier(redis, { deadlineMs: 300 }).local(adjustAmount('x', 1));
    await expect(step.run('{x}')).rejects.toThrow('no answer from Redis within 300 ms');
    await expect(step.check('{x}')).rejects.toThrow('no answer');
    expect(performance.now() - started).toBeLessThan(2_000);
    redis.disconnect();
  });

  test('wrong options fail when the barrier is made', () => {
    expect(() => redisBarrier(store.redis, { expireSeconds: 0 })).toThrow(DtmInvalidOption);
    expect(() => redisBarrier(store.redis, { deadlineMs: 1.5 })).toThrow(DtmInvalidOption);
    expect(() => redisBarrier(store.redis).local({ keys: [], script: '', hashTag: 'x' })).toThrow(DtmInvalidOption);
  });

  test('what is remembered goes after the time it was asked to stay', async () => {
    const gid = `{${store.tag}}-${randomUUID()}`;
    const barrier = redisBarrier(store.redis, { expireSeconds: 1 });
    expect(await barrier.local({ keys: [], script: 'return 1' }).run(gid)).toMatchObject({ repeat: false });
    await until('it is forgotten', async () => (await store.redis.exists(`dtm:${gid};00;msg`)) === 0);
  });
});
