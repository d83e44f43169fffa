import { randomUUID } from 'node:crypto';
import type { KafkaRecord } from '@eshop/nest-service/kafka';
import { eventually } from '@eshop/nest-service/testing';
import { branch, newProductID, newUserID, type Started, startFlashSale } from './service.js';

describe('buying in a flash sale', () => {
  let shop: Started;
  beforeAll(async () => {
    shop = await startFlashSale();
  });
  afterAll(() => shop.close());

  const keysOf = (productID: number) => `${shop.prefix}{${productID}}:`;

  /** [left, held] */
  async function unitsOf(productID: number): Promise<[number, number]> {
    const { left, reserved } = await shop.grpc.getSale({ productID });
    return [left, reserved];
  }

  async function recordsOf(productID: number, count: number): Promise<KafkaRecord[]> {
    return eventually(async () => {
      const records = (await shop.topic.records()).filter(({ value }) => {
        return JSON.parse(String(value)).productID === productID;
      });
      return records.length >= count ? records : undefined;
    }, `${count} records`);
  }

  it('takes a unit and puts the order into the queue', async () => {
    const productID = newProductID();
    const userID = newUserID();
    const { saleID } = await shop.begin(productID, 3);
    const { body } = await shop.buy({ userID, productID, amount: 88 }, { 'x-request-id': 'request-1' });
    expect(body).toMatchObject({ code: 0, data: { orderID: expect.stringMatching(/^\d{26}$/) } });
    const orderID = String(body.data.orderID);
    expect(await unitsOf(productID)).toEqual([2, 1]);
    const [record] = await recordsOf(productID, 1);
    expect(String(record?.key)).toBe(orderID);
    expect(JSON.parse(String(record?.value))).toEqual({
      ...{ userID, productID, productCount: 1, amount: 88, couponID: 0, orderID, saleID },
    });
    expect(record?.headers).toMatchObject({
      'order-id': orderID,
      'request-id': 'request-1',
      traceparent: expect.stringMatching(/^00-/),
      source: 'flash',
    });
  });

  it('can be looked up by order id at once, and not when the unit has gone back', async () => {
    const productID = newProductID();
    const userID = newUserID();
    const { saleID } = await shop.begin(productID, 1);
    const { orderID } = await shop.grpc.flashSale({ userID, productID, amount: 1 });
    expect(await shop.grpc.getByOrderID({ orderID })).toEqual({ orderID, state: 'queued', userID, productID, saleID });
    await shop.grpc.returnUnit({ productID, saleID, orderID }, branch({ gid: orderID, op: 'compensate' }));
    await expect(shop.grpc.getByOrderID({ orderID })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    await expect(shop.grpc.getByOrderID({ orderID: '1'.repeat(26) })).rejects.toMatchObject({
      code: 'ORDER_NOT_FOUND',
    });
  });

  it('is possible for as many of 200 at once as there are units, each with an order in the queue', async () => {
    const productID = newProductID();
    await shop.begin(productID, 30);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => shop.buy({ userID: newUserID(), productID, amount: 1 })),
    );
    const accepted = answers.filter(({ body }) => body.code === 0).map(({ body }) => String(body.data.orderID));
    expect(new Set(accepted).size).toBe(30);
    expect(new Set(answers.map(({ body }) => body.code))).toEqual(new Set([0, 40911]));
    expect(await unitsOf(productID)).toEqual([0, 30]);
    const records = await recordsOf(productID, 30);
    expect(new Set(records.map(({ key }) => String(key)))).toEqual(new Set(accepted));
  });

  it('is limited per user', async () => {
    const productID = newProductID();
    const userID = newUserID();
    await shop.begin(productID, 10, { limitPerUser: 3 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.buy({ userID, productID, amount: 1 })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ body }) => body.code === 40913)).toHaveLength(17);
    expect((await shop.buy({ userID: newUserID(), productID, amount: 1 })).status).toBe(200);
    expect(await unitsOf(productID)).toEqual([6, 4]);
  });

  it.each<[string, number, object]>([
    ['has not begun', 40912, { opensAtMs: Date.now() + 3_600_000 }],
    ['is over', 40912, { opensAtMs: 1, closesAtMs: Date.now() - 1 }],
    ['is ended', 40912, { status: 2 }],
    ['is sold out', 40911, { units: 0 }],
  ])('is refused when the sale %s', async (_what, code, terms) => {
    const productID = newProductID();
    await shop.begin(productID, 5, terms);
    expect((await shop.buy({ userID: 1, productID, amount: 1 })).body.code).toBe(code);
    await expect(shop.grpc.flashSale({ userID: 1, productID, amount: 1 })).rejects.toMatchObject({ grpcStatus: 10 });
    expect((await unitsOf(productID))[1]).toBe(0);
  });

  it('is possible inside the window', async () => {
    const productID = newProductID();
    await shop.begin(productID, 5, { opensAtMs: Date.now() - 1000, closesAtMs: Date.now() + 3_600_000 });
    expect((await shop.buy({ userID: 1, productID, amount: 1 })).status).toBe(200);
  });

  it('is refused when Redis has lost the sale', async () => {
    const productID = newProductID();
    await shop.begin(productID, 5);
    const keys = await shop.redis.keys(`${keysOf(productID)}*`);
    await shop.redis.del(...keys);
    expect((await shop.buy({ userID: 1, productID, amount: 1 })).body.code).toBe(40912);
  });

  it('is told the outcome without DTM, unless there is a unit to be taken', async () => {
    const alone = await startFlashSale({ dtm: { grpc: '127.0.0.1:9', http: 'http://127.0.0.1:9' }, topic: shop.topic });
    try {
      const codeOf = async (units: number, terms: object, userID = 1) => {
        const productID = newProductID();
        await alone.begin(productID, units, terms);
        await alone.redis.hset(`${alone.prefix}{${productID}}:users`, '7', 1);
        const { body, status } = await alone.buy({ userID, productID, amount: 1 });
        expect(await alone.grpc.getSale({ productID })).toMatchObject({ left: units, reserved: 0 });
        return [status, body.code];
      };
      expect(await codeOf(0, {})).toEqual([409, 40911]);
      expect(await codeOf(1, { status: 2 })).toEqual([409, 40912]);
      expect(await codeOf(1, { limitPerUser: 1 }, 7)).toEqual([409, 40913]);
      expect(await codeOf(1, {})).toEqual([503, 50300]);
    } finally {
      await alone.close();
    }
  });

  it('waits its turn in a crowd, and a crowd that is too large is told to come back', async () => {
    const small = await startFlashSale({
      flashSale: { maxRunning: 1, maxWaiting: 5, maxWaitMs: 5000 },
      topic: shop.topic,
    });
    try {
      const productID = newProductID();
      await small.begin(productID, 100);
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => small.buy({ userID: newUserID(), productID, amount: 1 })),
      );
      const accepted = answers.filter(({ status }) => status === 200).length;
      expect(accepted).toBeGreaterThanOrEqual(6);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(30 - accepted);
      expect(await small.grpc.getSale({ productID })).toMatchObject({ reserved: accepted });
    } finally {
      await small.close();
    }
  });

  describe('with an Idempotency-Key', () => {
    const withKey = (key: string) => ({ 'idempotency-key': key });

    it('is one purchase, however often and however parallel it is sent', async () => {
      const productID = newProductID();
      await shop.begin(productID, 5);
      const body = { userID: newUserID(), productID, amount: 1 };
      const key = randomUUID();
      const answers = await Promise.all(Array.from({ length: 50 }, () => shop.buy(body, withKey(key))));
      expect(new Set(answers.map((answer) => answer.body.data.orderID)).size).toBe(1);
      expect(await unitsOf(productID)).toEqual([4, 1]);
      expect((await shop.buy({ ...body, amount: 2 }, withKey(key))).body.code).toBe(42200);
      await recordsOf(productID, 1);
      const overGrpc = await shop.grpc.flashSale(body, { metadata: { 'idempotency-key': key } });
      expect(overGrpc.orderID).toBe(answers[0]?.body.data.orderID);
      expect(await recordsOf(productID, 1)).toHaveLength(1);
    });

    it('is answered the same when the sale is sold out, over, or its unit has gone back', async () => {
      const productID = newProductID();
      const { saleID } = await shop.begin(productID, 1);
      const body = { userID: newUserID(), productID, amount: 1 };
      const key = randomUUID();
      const first = await shop.buy(body, withKey(key));
      const orderID = String(first.body.data.orderID);
      expect((await shop.buy(body)).body.code).toBe(40911);
      expect((await shop.buy(body, withKey(key))).body.data.orderID).toBe(orderID);
      await shop.grpc.returnUnit({ productID, saleID, orderID }, branch({ gid: orderID, op: 'compensate' }));
      expect((await shop.buy(body, withKey(key))).body.data.orderID).toBe(orderID);
      await shop.redis.hset(`${keysOf(productID)}sale`, 'status', 2);
      expect((await shop.buy(body, withKey(key))).body.data.orderID).toBe(orderID);
      expect((await unitsOf(productID))[1]).toBe(0);
    });

    it('may be tried again after a refusal, until one is final', async () => {
      const productID = newProductID();
      await shop.begin(productID, 0);
      const body = { userID: newUserID(), productID, amount: 1 };
      const [early, late] = [randomUUID(), randomUUID()];
      expect((await shop.buy(body, withKey(early))).body.code).toBe(40911);
      for (let i = 0; i < 3; i++) expect((await shop.buy(body, withKey(late))).body.code).toBe(40911);
      await shop.redis.hset(`${keysOf(productID)}sale`, 'left', 5);
      expect((await shop.buy(body, withKey(early))).body.code).toBe(0);
      expect((await shop.buy(body, withKey(late))).body.code).toBe(40911);
      expect(await unitsOf(productID)).toEqual([4, 1]);
    });

    it('gets another order id when the first came to nothing', async () => {
      const productID = newProductID();
      await shop.begin(productID, 2);
      const body = { userID: newUserID(), productID, amount: 1 };
      const key = randomUUID();
      const kept = `${shop.prefix}idempotency:${body.userID}:${key}`;
      await shop.redis.hset(`${keysOf(productID)}sale`, 'left', 0);
      await shop.buy(body, withKey(key));
      const { orderID } = JSON.parse(String(await shop.redis.get(kept)));
      const gid = `{${productID}}-${orderID}`;
      const check = branch({ gid, op: 'msg', transType: 'msg', branchId: '00' });
      await expect(shop.grpc.redisQueryPrepared({}, check)).rejects.toMatchObject({ grpcStatus: 10 });
      await shop.redis.hset(`${keysOf(productID)}sale`, 'left', 2);
      const answers = await Promise.all(Array.from({ length: 10 }, () => shop.buy(body, withKey(key))));
      const [first] = new Set(answers.map((answer) => String(answer.body.data.orderID)));
      expect(answers.every((answer) => answer.body.data.orderID === first)).toBe(true);
      expect(first).not.toBe(orderID);
      expect(await unitsOf(productID)).toEqual([1, 1]);
    });

    it('is the purchase of the user who sent it: the same key of others is theirs', async () => {
      const productID = newProductID();
      await shop.begin(productID, 5);
      const key = randomUUID();
      const bodies = [newUserID(), newUserID(), newUserID()].map((userID) => ({ userID, productID, amount: 1 }));
      const buyAll = () => Promise.all(bodies.map((body) => shop.buy(body, withKey(key))));
      const first = (await buyAll()).map((answer) => answer.body.data.orderID);
      expect(new Set(first).size).toBe(3);
      expect(first).not.toContain(undefined);
      expect((await buyAll()).map((answer) => answer.body.data.orderID)).toEqual(first);
      expect(await unitsOf(productID)).toEqual([2, 3]);
      const [body] = bodies;
      expect((await shop.buy({ ...body, amount: 2 }, withKey(key))).body.code).toBe(42200);
      // Where one user's id and key end and begin must not matter.
      const other = await shop.buy({ ...body, userID: 1 }, withKey(`2:${key}`));
      const another = await shop.buy({ ...body, userID: 12 }, withKey(key));
      expect(other.body.data.orderID).not.toBe(another.body.data.orderID);
    });

    it('goes on when the version before had kept it for all users together', async () => {
      const productID = newProductID();
      await shop.begin(productID, 5);
      const key = randomUUID();
      const body = { userID: newUserID(), productID, amount: 1 };
      const { orderID } = (await shop.buy(body, withKey(key))).body.data;
      const kept = `${shop.prefix}idempotency:${body.userID}:${key}`;
      await shop.redis.rename(kept, `${shop.prefix}idem:${key}`);
      const answers = await Promise.all(Array.from({ length: 20 }, () => shop.buy(body, withKey(key))));
      expect(new Set(answers.map((answer) => answer.body.data.orderID))).toEqual(new Set([orderID]));
      expect(await shop.redis.exists(`${shop.prefix}idem:${key}`)).toBe(0);
      expect(await shop.redis.ttl(kept)).toBeGreaterThan(24 * 3600);
      const other = await shop.buy({ ...body, userID: newUserID() }, withKey(key));
      expect(other.body.data.orderID).not.toBe(orderID);
      expect(await unitsOf(productID)).toEqual([3, 2]);
    });

    it('must be a key that can be kept', async () => {
      const productID = newProductID();
      await shop.begin(productID, 1);
      const { body, status } = await shop.buy({ userID: 1, productID, amount: 1 }, withKey('x'.repeat(129)));
      expect(status).toBe(400);
      expect(body.violations?.[0]?.field).toBe('Idempotency-Key');
      expect(await unitsOf(productID)).toEqual([1, 0]);
    });
  });

  it.each<[string, object, string]>([
    ['no user', { userID: 0 }, 'userID'],
    ['no product', { productID: 0 }, 'productID'],
    ['no amount', { amount: 0 }, 'amount'],
  ])('is refused with %s', async (_what, wrong, field) => {
    const request = { userID: 1, productID: newProductID(), amount: 1, ...wrong };
    const { status, body } = await shop.buy(request);
    expect([status, body.violations?.map((one) => one.field)]).toEqual([400, [field]]);
    await expect(shop.grpc.flashSale(request)).rejects.toMatchObject({ violations: [{ field }] });
  });

  it.each<[object]>([[{ amount: -1 }], [{ amount: 2 ** 32 }], [{ userID: 'one' }], [{ productID: 1.5 }]])(
    'is refused with %p',
    async (wrong) => {
      expect((await shop.buy({ userID: 1, productID: 1, amount: 1, ...wrong })).status).toBe(400);
    },
  );
});
