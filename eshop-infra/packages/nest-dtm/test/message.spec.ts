import {
  DtmAborted,
  DtmError,
  DtmOutcomeUnknown,
  DtmRefused,
  DtmUnavailable,
  type LocalStep,
  type MessageOptions,
  newGid,
  Refusal,
  type Transaction,
} from '../src/index.js';
import { redisBarrier } from '../src/redis.js';
import { freePort } from '../src/testing/index.js';
import { stores } from './support/env.js';
import { Kiosk, type KioskApp, startKiosk, take } from './support/kiosk.js';
import { type LossyProxy, startProxy } from './support/proxy.js';
import { throwAwayRedis } from './support/redis.js';
import { gate, until } from './support/until.js';

describe.each(stores)('message, DTM on $store', ({ grpc, http }) => {
  let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
  let barrier: ReturnType<typeof redisBarrier>;
  let kiosk: KioskApp;
  let proxy: LossyProxy;

  beforeAll(async () => {
    redis = await throwAwayRedis();
    barrier = redisBarrier(redis.redis);
    proxy = await startProxy(grpc);
    const closed = await freePort();
    kiosk = await startKiosk(barrier, {
      servers: {
        default: { grpc, http },
        http: { http, protocol: 'http' },
        proxied: { grpc: proxy.address, http },
        down: { grpc: `127.0.0.1:${closed}`, http: `http://127.0.0.1:${closed}`, deadlineMs: 1_000 },
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
  function message(gid: string, to: string, options: MessageOptions = {}) {
    return kiosk.dtm.message(gid, options).step(Kiosk.take, { key: to, amount: 1 });
  }
  const backCheck = Kiosk.asked;
  const local = (key: string, amount = 3): LocalStep<unknown> => barrier.local(take({ key, amount }));
  /** A local step whose `run` or `check` is another. */
  const bent = (step: LocalStep<unknown>, change: Partial<LocalStep<unknown>>): LocalStep<unknown> => ({
    run: (gid) => step.run(gid),
    check: (gid) => step.check(gid),
    ...change,
  });

  describe('plain', () => {
    test.each(['default', 'http'])('every step takes effect (submitted to %s)', async (server) => {
      const [gid, one, two] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const answer = await message(gid, one, { server })
        .step(Kiosk.take, { key: two, amount: 2 })
        .submit({ waitResult: true });
      expect(answer).toEqual({ gid, status: 'succeed' });
      expect(await redis.state(one)).toEqual({ left: 9, hits: { action: '1' } });
      expect(await redis.state(two)).toEqual({ left: 8, hits: { action: '1' } });
      expect(await kiosk.dtm.query(gid)).toMatchObject({ transType: 'msg', status: 'succeed' });
    });

    test('the same gid 10 times at once, and afterwards: one effect, true answers', async () => {
      const [gid, key] = [redis.newGid(), await redis.counter()];
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => message(gid, key).submit({ waitResult: true })),
      );
      answers.push(await message(gid, key).submit(), await message(gid, key).submit({ fresh: true }));
      expect(answers).toEqual(answers.map(() => ({ gid, status: 'succeed' })));
      expect((await redis.state(key)).hits).toEqual({ action: '1' });
    });

    test('a step that fails is called again until it succeeds; DTM saying "aborted" meanwhile is not believed', async () => {
      const [gid, key] = [redis.newGid(), await redis.counter(0)];
      const answer = await message(gid, key, { retryInterval: 1 }).submit({ waitResult: true });
      expect(answer).toEqual({ gid, status: 'submitted' });
      await redis.redis.set(key, 5);
      await stored(gid, 'succeed');
      expect((await redis.state(key)).hits).toEqual({ action: '1' });
    });

    test('a delayed message is sent after its delay', async () => {
      const [gid, key] = [redis.newGid(), await redis.counter()];
      const begun = performance.now();
      expect(await message(gid, key, { delay: 2 }).submit({ waitResult: true })).toEqual({ gid, status: 'submitted' });
      await stored(gid, 'succeed');
      // DTM's clock has whole seconds.
      expect(performance.now() - begun).toBeGreaterThan(1_000);
      expect((await redis.state(key)).hits).toEqual({ action: '1' });
    });

    test('custom data is found again', async () => {
      const [gid, key] = [redis.newGid(), await redis.counter()];
      await message(gid, key, { customData: { order: '17' }, delay: 1 }).submit();
      expect((await kiosk.dtm.query(gid))?.customData).toEqual({ order: '17', delay: 1 });
    });

    test('concurrent steps, over HTTP', async () => {
      const [gid, empty, full] = [redis.newGid(), await redis.counter(0), await redis.counter()];
      await message(gid, empty, { server: 'http', concurrent: true, retryInterval: 1 })
        .step(Kiosk.take, { key: full, amount: 1 })
        .submit();
      await until('the second step does not wait for the first', async () => (await redis.state(full)).hits.action);
      await redis.redis.set(empty, 1);
      await stored(gid, 'succeed');
    });

    test('a gid that waits for its local step cannot be submitted past it', async () => {
      const [gid, from, to, leave] = [redis.newGid(), await redis.counter(), await redis.counter(), gate()];
      const step = bent(local(from), {
        run: async (id) => {
          await leave.opened;
          return local(from).run(id);
        },
      });
      const other = await startKiosk(barrier, {
        servers: { default: { grpc, http } },
        branches: { 'kiosk.Kiosk': kiosk.grpcAddress },
      });
      const twoPhase = message(gid, to).prepareAndSubmit(step, { backCheck });
      await stored(gid, 'prepared');
      await expect(other.dtm.message(gid).step(Kiosk.take, { key: to, amount: 1 }).submit()).rejects.toBeInstanceOf(
        DtmRefused,
      );
      leave.open();
      expect(await twoPhase).toMatchObject({ status: 'submitted', repeat: false });
      await stored(gid, 'succeed');
      await other.close();
    });

    test('DTM down: DtmUnavailable', async () => {
      await expect(message(redis.newGid(), 'none', { server: 'down' }).submit()).rejects.toBeInstanceOf(DtmUnavailable);
    });
  });

  describe('with a local step', () => {
    test.each(['default', 'http'])('prepare, local step, submit (to %s)', async (server) => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const answer = await message(gid, to, { server }).prepareAndSubmit(local(from), { backCheck, waitResult: true });
      expect(answer).toEqual({ gid, status: 'succeed', value: 7, repeat: false });
      expect(await redis.state(from)).toEqual({ left: 7, hits: { msg: '1' } });
      expect(await redis.state(to)).toEqual({ left: 9, hits: { action: '1' } });
    });

    test('without waitResult the answer is that it is submitted', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const answer = await message(gid, to).prepareAndSubmit(local(from), { backCheck });
      expect(answer).toEqual({ gid, status: 'submitted', value: 7, repeat: false });
      await stored(gid, 'succeed');
    });

    test('a local step whose keys are not of one hash slot is refused before anything is sent', async () => {
      const [gid, from, to] = [newGid(), await redis.counter(), await redis.counter()];
      const sent = message(gid, to).prepareAndSubmit(local(from), { backCheck });
      await expect(sent).rejects.toMatchObject({ name: 'DtmCrossSlot', code: 'DTM_CROSS_SLOT', gid });
      await expect(sent).rejects.toBeInstanceOf(DtmError);
      expect(await kiosk.dtm.query(gid)).toBeNull();
      expect(await redis.state(from)).toEqual({ left: 10, hits: {} });
    });

    test('a refusal of the local step aborts; the same gid is refused ever after', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(2), await redis.counter()];
      const send = () => message(gid, to).prepareAndSubmit(local(from), { backCheck });
      await expect(send()).rejects.toEqual(new Refusal('only 2 left'));
      expect((await kiosk.dtm.query(gid))?.status).toBe('failed');
      await redis.redis.set(from, 100);
      await expect(send()).rejects.toThrow(/^aborted before/);
      await expect(message(gid, to).submit()).rejects.toThrow(/^aborted before/);
      expect([await redis.state(from), await redis.state(to)]).toEqual([
        { left: 100, hits: {} },
        { left: 10, hits: {} },
      ]);
    });

    test('an error after which the local step turns out done: submitted', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const step = bent(local(from), {
        run: async (id) => {
          await local(from).run(id);
          throw new Error('connection lost');
        },
      });
      expect(await message(gid, to).prepareAndSubmit(step, { backCheck, waitResult: true })).toEqual({
        gid,
        status: 'succeed',
        value: undefined,
        repeat: true,
      });
      expect((await redis.state(from)).hits).toEqual({ msg: '1' });
    });

    test('a deadlock and the like is tried again, and does not use up the gid', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const step = local(from);
      let times = 0;
      const deadlocked = bent(step, {
        run: async (id) => {
          if (++times < 3) throw Object.assign(new Error('Deadlock found'), { errno: 1213 });
          return step.run(id);
        },
      });
      const sent = await message(gid, to).prepareAndSubmit(deadlocked, { backCheck, waitResult: true });
      expect(sent).toMatchObject({ gid, status: 'succeed', repeat: false });
      expect(times).toBe(3);
      expect((await redis.state(from)).hits).toEqual({ msg: '1' });
      expect((await redis.state(to)).hits).toEqual({ action: '1' });
    });

    test('an error after which the local step turns out not done: aborted, and the error is told', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const step = bent(local(from), {
        run: async () => {
          throw new Error('connection lost');
        },
      });
      await expect(message(gid, to).prepareAndSubmit(step, { backCheck })).rejects.toThrow('connection lost');
      expect((await kiosk.dtm.query(gid))?.status).toBe('failed');
      await expect(message(gid, to).prepareAndSubmit(local(from), { backCheck })).rejects.toBeInstanceOf(DtmAborted);
      expect((await redis.state(from)).hits).toEqual({});
    });

    test.each([true, false])(
      'an error after which nobody knows: DtmOutcomeUnknown, then DTM asks the back-check (done: %p)',
      async (done) => {
        const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
        const step = bent(local(from), {
          run: async (id) => {
            if (done) await local(from).run(id);
            throw new Error('connection lost');
          },
          check: async () => {
            throw new Error('still lost');
          },
        });
        await expect(
          message(gid, to, { timeoutToFail: 2, retryInterval: 2 }).prepareAndSubmit(step, { backCheck }),
        ).rejects.toBeInstanceOf(DtmOutcomeUnknown);
        expect((await kiosk.dtm.query(gid))?.status).toBe('prepared');
        await stored(gid, done ? 'succeed' : 'failed');
        expect((await redis.state(to)).hits).toEqual(done ? { action: '1' } : {});
      },
    );

    test('a back-check that comes while the local step has not begun wins: nothing is done, nothing is sent', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const step = bent(local(from), {
        run: async (id) => {
          await stored(id, 'failed');
          return local(from).run(id);
        },
      });
      await expect(
        message(gid, to, { timeoutToFail: 1, retryInterval: 1 }).prepareAndSubmit(step, { backCheck }),
      ).rejects.toThrow(/^aborted before/);
      expect([(await redis.state(from)).hits, (await redis.state(to)).hits]).toEqual([{}, {}]);
    });

    test('a refusal while another caller of the gid does the work: submitted, one effect', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const step = bent(local(from), {
        run: async (id) => {
          await local(from).run(id);
          throw new Refusal('sold out a moment ago');
        },
      });
      expect(await message(gid, to).prepareAndSubmit(step, { backCheck, waitResult: true })).toMatchObject({
        status: 'succeed',
        repeat: true,
      });
      expect((await redis.state(to)).hits).toEqual({ action: '1' });
    });

    test('the same gid 10 times at once: done once, sent once, true answers', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const send = () => message(gid, to).prepareAndSubmit(local(from), { backCheck, waitResult: true });
      const answers = await Promise.all(Array.from({ length: 10 }, send));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 'succeed'));
      expect(answers.filter(({ repeat }) => !repeat).map(({ value }) => value)).toEqual([7]);
      expect(await send()).toMatchObject({ gid, status: 'succeed', repeat: true });
      expect([await redis.state(from), await redis.state(to)]).toEqual([
        { left: 7, hits: { msg: '1' } },
        { left: 9, hits: { action: '1' } },
      ]);
    });

    test('the same gid at once from processes that do not know of each other: done once, true answers', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const others = await Promise.all(
        [0, 1, 2].map(() =>
          startKiosk(barrier, {
            servers: { default: { grpc, http } },
            branches: { 'kiosk.Kiosk': kiosk.grpcAddress },
          }),
        ),
      );
      const answers = await Promise.all(
        [kiosk, ...others].map(({ dtm }) =>
          dtm.message(gid).step(Kiosk.take, { key: to, amount: 1 }).prepareAndSubmit(local(from), { backCheck }),
        ),
      );
      await Promise.all(others.map((other) => other.close()));
      expect(answers.filter(({ repeat }) => !repeat)).toHaveLength(1);
      await stored(gid, 'succeed');
      expect([(await redis.state(from)).hits, (await redis.state(to)).hits]).toEqual([{ msg: '1' }, { action: '1' }]);
    });

    test('a lost reply to prepare: prepared again, done and sent once', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      await message(redis.newGid(), to, { server: 'proxied' }).submit();
      proxy.dropReplies();
      const sent = message(gid, to, { server: 'proxied' }).prepareAndSubmit(local(from), { backCheck });
      await until('DTM has it', () => kiosk.dtm.query(gid));
      proxy.cut();
      expect(await sent).toMatchObject({ status: 'submitted', repeat: false });
      await stored(gid, 'succeed');
      expect((await redis.state(from)).hits).toEqual({ msg: '1' });
    });

    test('DTM lost for ever between the local step and submit: still sent, since it asks the back-check', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      const lost = await startProxy(grpc);
      const lostHttp = await startProxy(http.slice('http://'.length));
      const app = await startKiosk(barrier, {
        servers: { default: { grpc: lost.address, http: `http://${lostHttp.address}`, deadlineMs: 1_000 } },
        branches: { 'kiosk.Kiosk': kiosk.grpcAddress },
      });
      const step = bent(local(from), {
        run: async (id) => {
          const outcome = await local(from).run(id);
          await Promise.all([lost.close(), lostHttp.close()]);
          return outcome;
        },
      });
      const answer = await app.dtm
        .message(gid, { timeoutToFail: 2, retryInterval: 2 })
        .step(Kiosk.take, { key: to, amount: 1 })
        .prepareAndSubmit(step, { backCheck });
      expect(answer).toMatchObject({ status: 'submitted', repeat: false });
      await stored(gid, 'succeed');
      expect((await redis.state(to)).hits).toEqual({ action: '1' });
      await app.close();
    });

    test('DTM down: DtmUnavailable, the local step is not begun', async () => {
      const [gid, from] = [redis.newGid(), await redis.counter()];
      await expect(
        message(gid, 'none', { server: 'down' }).prepareAndSubmit(local(from), { backCheck }),
      ).rejects.toBeInstanceOf(DtmUnavailable);
      expect((await redis.state(from)).hits).toEqual({});
    });

    test('the gid of a saga is refused, the local step is not begun', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
      await kiosk.dtm.saga(gid).step(Kiosk.take, Kiosk.takeRevert, { key: to, amount: 1 }).submit({ waitResult: true });
      await expect(message(gid, to).prepareAndSubmit(local(from), { backCheck })).rejects.toBeInstanceOf(DtmRefused);
      expect((await redis.state(from)).hits).toEqual({});
    });

    test('options and headers of prepare and submit are the same: they reach the branch at a retry too', async () => {
      const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter(0)];
      await message(gid, to, { retryInterval: 1 }).prepareAndSubmit(local(from), { backCheck, waitResult: true });
      await redis.redis.set(to, 1);
      // The signature is such a header: a retry without it would be turned away for ever.
      await stored(gid, 'succeed');
    });
  });
});
