import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { redisBarrier } from '../src/redis.js';
import { DtmCaller } from '../src/testing/index.js';
import { signature } from './support/bank.js';
import { Kiosk, type KioskApp, startKiosk, take } from './support/kiosk.js';
import type { OwnProcess } from './support/own-process.js';
import { ownRedis } from './support/own-redis.js';
import { until } from './support/until.js';

const [OK, REFUSED, RETRY] = [0, 10, 14];

describe('a Redis that is killed under the barrier', () => {
  let server: OwnProcess;
  let redis: Redis;
  let kiosk: KioskApp;
  let caller: DtmCaller;

  beforeAll(async () => {
    const own = await ownRedis();
    server = own.server;
    redis = new Redis(own.port, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => undefined);
    kiosk = await startKiosk(redisBarrier(redis, { deadlineMs: 500 }));
    caller = new DtmCaller({ signature, grpcAddress: kiosk.grpcAddress, http: kiosk.http });
  });
  afterAll(async () => {
    caller?.close();
    await kiosk?.close();
    redis?.disconnect();
    await server?.remove();
  });

  const action = async (gid: string, key: string) =>
    (await caller.grpc(Kiosk.take, { gid }, { key, amount: 1 })).status;
  const compensate = async (gid: string, key: string) =>
    (await caller.grpc(Kiosk.takeRevert, { gid, op: 'compensate' }, { key, amount: 1 })).status;
  /** What a call comes to, as DTM learns it: called again for as long as it is put off. */
  const settled = async (call: () => Promise<number>): Promise<number> => {
    const answer = await until('an answer that is no "call again"', async () => {
      const status = await call();
      return status !== RETRY && { status };
    });
    return answer.status;
  };
  const connected = () => until('the connection is back', () => redis.status === 'ready');

  test('and comes back with its data: branches are put off meanwhile, and every effect counts once', async () => {
    const [gid, key] = [`{a}-${randomUUID()}`, `{a}:${randomUUID()}`];
    await redis.set(key, 5);
    const step = redisBarrier(redis).local(take({ key, amount: 1 }));
    const message = `{a}-${randomUUID()}`;
    await step.run(message);
    expect(await settled(() => action(gid, key))).toBe(OK);
    await server.kill();
    expect(await action(gid, key)).toBe(RETRY);
    await server.start();
    await connected();
    expect(await settled(() => action(gid, key))).toBe(OK);
    expect(await redis.get(key)).toBe('3');
    for (let repeat = 0; repeat < 2; repeat++) expect(await settled(() => compensate(gid, key))).toBe(OK);
    expect(await redis.get(key)).toBe('4');
    expect(await step.check(message)).toBe('done');
  });

  test('and comes back without its data: nothing is sold or given back, and no local step is said to be done', async () => {
    const [gid, key] = [`{b}-${randomUUID()}`, `{b}:${randomUUID()}`];
    await redis.set(key, 5);
    const step = redisBarrier(redis).local(take({ key, amount: 1 }));
    const message = `{b}-${randomUUID()}`;
    await step.run(message);
    expect(await settled(() => action(gid, key))).toBe(OK);
    await server.kill();
    await rm(join(server.dir, 'appendonlydir'), { recursive: true });
    await server.start();
    await connected();
    expect(await redis.exists(key)).toBe(0);
    expect(await settled(() => compensate(gid, key))).toBe(OK);
    expect(await redis.exists(key)).toBe(0);
    expect(await settled(() => action(`{b}-${randomUUID()}`, key))).toBe(REFUSED);
    expect(await step.check(message)).toBe('rolled-back');
  });
});
