import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DtmAborted, DtmOutcomeUnknown, type Transaction } from '../src/index.js';
import { redisBarrier } from '../src/redis.js';
import { signature } from './support/bank.js';
import { compiledLibrary } from './support/compiled-library.js';
import { env, stores } from './support/env.js';
import { Kiosk, type KioskApp, startKiosk, take } from './support/kiosk.js';
import { throwAwayRedis } from './support/redis.js';
import { until } from './support/until.js';

const submitter = fileURLToPath(new URL('./support/submitter.mjs', import.meta.url));

describe.each(stores)('a submitter killed with SIGKILL, DTM on $store', ({ grpc, http }) => {
  let library: ReturnType<typeof compiledLibrary>;
  let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
  let kiosk: KioskApp;

  beforeAll(async () => {
    library = compiledLibrary();
    redis = await throwAwayRedis();
    kiosk = await startKiosk(redisBarrier(redis.redis), { servers: { default: { grpc, http } } });
  });
  afterAll(async () => {
    await kiosk?.close();
    await redis?.close();
    library?.remove();
  });

  const hits = (key: string): Promise<Record<string, string>> => redis.redis.hgetall(`${key}:hits`);
  const stored = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(`${gid} ${status}`, async () => {
      const transaction = await kiosk.dtm.query(gid);
      return transaction?.status === status && transaction;
    });

  /** Runs a submitter until it is dead. */
  async function killed(point: string, gid: string, from: string, to: string): Promise<void> {
    const instructions = {
      library: library.dir,
      servers: { default: { grpc, http } },
      branches: { 'kiosk.Kiosk': kiosk.grpcAddress },
      signature,
      redisUrl: env.redisUrl,
      gid,
      from,
      to,
      script: take({ key: from, amount: 3 }),
      point,
      options: { timeoutToFail: 2, retryInterval: 2 },
    };
    const signal = await new Promise((resolve) => {
      execFile(process.execPath, [submitter, JSON.stringify(instructions)], (error) => resolve(error?.signal));
    });
    expect(signal).toBe('SIGKILL');
  }
  const again = (gid: string, from: string, to: string) =>
    kiosk.dtm
      .message(gid)
      .step(Kiosk.take, { key: to, amount: 1 })
      .prepareAndSubmit(redisBarrier(redis.redis).local(take({ key: from, amount: 3 })), { backCheck: Kiosk.asked });

  test('after prepare: nothing was done, nothing is sent, the same gid is refused from then on', async () => {
    const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
    await killed('after prepare', gid, from, to);
    await stored(gid, 'failed');
    await expect(again(gid, from, to)).rejects.toThrow(/^aborted before/);
    expect([await hits(from), await hits(to)]).toEqual([{}, {}]);
  });

  test('after prepare, and another process takes the gid up before DTM asks: done and sent once', async () => {
    const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
    await killed('after prepare', gid, from, to);
    expect(await again(gid, from, to)).toMatchObject({ status: 'submitted', repeat: false });
    await stored(gid, 'succeed');
    expect([await hits(from), await hits(to)]).toEqual([{ msg: '1' }, { action: '1' }]);
  });

  test('after the local step: DTM asks the back-check and sends', async () => {
    const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
    await killed('after the local step', gid, from, to);
    expect((await kiosk.dtm.query(gid))?.status).toBe('prepared');
    await stored(gid, 'succeed');
    expect(await again(gid, from, to)).toMatchObject({ status: 'succeed', repeat: true });
    expect([await hits(from), await hits(to)]).toEqual([{ msg: '1' }, { action: '1' }]);
  });

  test('after submit: sent', async () => {
    const [gid, from, to] = [redis.newGid(), await redis.counter(), await redis.counter()];
    await killed('after submit', gid, from, to);
    await stored(gid, 'succeed');
    expect([await hits(from), await hits(to)]).toEqual([{ msg: '1' }, { action: '1' }]);
  });

  test('between the tries of a TCC: what was tried is cancelled', async () => {
    const [gid, from] = [redis.newGid(), await redis.counter()];
    await killed('between the tries of a TCC', gid, from, from);
    // Nobody can know that it is dead, so nobody takes its place.
    const work = async (): Promise<void> => {
      throw new Error('begun');
    };
    const told: unknown = await kiosk.dtm.tcc(gid, work).catch((error: unknown) => error);
    expect([DtmOutcomeUnknown, DtmAborted]).toContain((told as Error).constructor);
    await stored(gid, 'failed');
    await expect(kiosk.dtm.tcc(gid, work)).rejects.toThrow(/^aborted before: Timeout/);
    expect(await hits(from)).toEqual({ try: '1', cancel: '1' });
    expect(await redis.redis.get(from)).toBe('10');
  });

  test('after the submit of a TCC: what was tried is confirmed', async () => {
    const [gid, from] = [redis.newGid(), await redis.counter()];
    await killed('after the submit of a TCC', gid, from, from);
    await stored(gid, 'succeed');
    expect(await hits(from)).toEqual({ try: '1', confirm: '1' });
    expect(await redis.redis.get(from)).toBe('7');
  });
});
