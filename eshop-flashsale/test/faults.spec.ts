import { randomUUID } from 'node:crypto';
import { transactionEnd } from '@eshop/nest-dtm/testing';
import { eventually, send } from '@eshop/nest-service/testing';
import { RedisProxy } from './redis-proxy.js';
import { DTM, newProductID, newUserID, REDIS_URL, type Started, startFlashSale } from './service.js';
import { ServiceProcess } from './service-process.js';

/** The state of a transaction at DTM. */
async function statusOf(gid: string): Promise<string | undefined> {
  const response = await fetch(`${DTM.http}/api/dtmsvr/query?gid=${encodeURIComponent(gid)}`);
  const { transaction } = (await response.json()) as { transaction: { status: string } | null };
  return transaction?.status;
}

describe('when something dies', () => {
  let proxy: RedisProxy;
  let shop: Started;
  beforeAll(async () => {
    proxy = await RedisProxy.to(REDIS_URL);
    shop = await startFlashSale({ redis: { url: proxy.url, commandTimeoutMs: 300 } });
  });
  afterAll(async () => {
    await shop.close();
    await proxy.close();
  });

  const unitsOf = async (productID: number) => {
    const { left, reserved } = await shop.grpc.getSale({ productID });
    return [left, reserved];
  };

  const ready = async () => (await fetch(`${shop.service.http}/ready`)).ok;

  /** Until the service has found Redis again. */
  async function back(): Promise<void> {
    const answers = () =>
      shop.grpc.getSale({ productID: 1 }).then(
        () => true as const,
        () => undefined,
      );
    await eventually(answers, 'Redis to be found again');
  }

  const recordsOf = async (productID: number) =>
    (await shop.topic.records()).filter(({ value }) => JSON.parse(String(value)).productID === productID);

  it('a Redis that is away is told at once, and nothing is bought', async () => {
    const productID = newProductID();
    await shop.begin(productID, 5);
    proxy.takeDown();
    await eventually(async () => !(await ready()) || undefined, 'the service not to be ready');
    const started = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        shop.buy({ userID: newUserID(), productID, amount: 1 }, { 'idempotency-key': randomUUID() }),
      ),
    );
    expect(new Set(answers.map(({ body }) => body.code))).toEqual(new Set([50300]));
    expect(performance.now() - started).toBeLessThan(1_000);
    await expect(shop.grpc.flashSale({ userID: 1, productID, amount: 1 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await expect(shop.grpc.getSale({ productID })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(shop.grpc.getByOrderID({ orderID: '1'.repeat(26) })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    proxy.bringBack();
    await back();
    expect(await unitsOf(productID)).toEqual([5, 0]);
    expect((await shop.buy({ userID: 1, productID, amount: 1 })).status).toBe(200);
  });

  it('a Redis that does not answer is told in time', async () => {
    const productID = newProductID();
    await shop.begin(productID, 5);
    proxy.freeze();
    const { body } = await shop.buy({ userID: 1, productID, amount: 1 });
    expect(body.code).toBe(50300);
    proxy.takeDown();
    proxy.bringBack();
    await back();
    expect(await unitsOf(productID)).toEqual([5, 0]);
  });

  it('a unit whose taking was not answered is bought, and a repeat of the request learns it', async () => {
    const productID = newProductID();
    await shop.begin(productID, 5);
    const body = { userID: newUserID(), productID, amount: 1 };
    const key = { 'idempotency-key': randomUUID() };
    const held = proxy.holdAt('evalsha', 'reply');
    const first = shop.buy(body, key);
    await held;
    expect((await first).status).toBeGreaterThanOrEqual(503);
    proxy.takeDown();
    proxy.bringBack();
    await back();
    const again = await shop.buy(body, key);
    expect(again.status).toBe(200);
    expect(await unitsOf(productID)).toEqual([4, 1]);
    const records = await eventually(
      async () => {
        const found = await recordsOf(productID);
        return found.length > 0 ? found : undefined;
      },
      'the record',
      40_000,
    );
    expect(records.map((record) => String(record.key))).toEqual([again.body.data.orderID]);
  }, 60_000);

  describe('the service itself', () => {
    let redis: RedisProxy;
    let victim: ServiceProcess;
    beforeEach(async () => {
      redis = await RedisProxy.to(REDIS_URL);
      victim = await ServiceProcess.create(redis.url, shop.prefix, shop.topic);
      await victim.start();
    });
    afterEach(async () => {
      await victim.kill();
      await redis.close();
    });

    /** Kills the service while a purchase is at its script: before Redis has it, or before its answer. Resolves with the gid. */
    async function killAtScript(productID: number, side: 'request' | 'reply'): Promise<string> {
      const held = redis.holdAt('evalsha', side);
      const key = randomUUID();
      const buying = send(
        'POST',
        `${victim.url}/api/v1/flashSale`,
        { userID: 1, productID, amount: 1 },
        {
          'idempotency-key': key,
        },
      ).catch((error: unknown) => error);
      await held;
      const { orderID } = JSON.parse(String(await shop.redis.get(`${shop.prefix}idempotency:1:${key}`)));
      if (side === 'reply') await eventually(async () => (await unitsOf(productID))[1] || undefined, 'the unit taken');
      await victim.kill();
      expect(await buying).toMatchObject({ message: 'fetch failed' });
      redis.takeDown();
      redis.bringBack();
      await victim.start();
      return `{${productID}}-${orderID}`;
    }

    it('after a unit was taken: the order reaches the queue', async () => {
      const productID = newProductID();
      await shop.begin(productID, 3);
      const gid = await killAtScript(productID, 'reply');
      expect(await statusOf(gid)).toBe('prepared');
      const records = await eventually(
        async () => {
          const found = await recordsOf(productID);
          return found.length > 0 ? found : undefined;
        },
        'the record',
        60_000,
      );
      expect(gid.endsWith(String(records[0]?.key))).toBe(true);
      expect((await transactionEnd(DTM.http, gid)).status).toBe('succeed');
      expect(await unitsOf(productID)).toEqual([2, 1]);
    }, 90_000);

    it('before the unit was taken: it stays in the sale, and no order comes', async () => {
      const productID = newProductID();
      await shop.begin(productID, 3);
      const gid = await killAtScript(productID, 'request');
      expect((await transactionEnd(DTM.http, gid, 60_000)).status).toBe('failed');
      expect(await unitsOf(productID)).toEqual([3, 0]);
      expect(await recordsOf(productID)).toEqual([]);
    }, 90_000);
  });
});
