import { randomInt, randomUUID } from 'node:crypto';
import { newTimeID } from '@eshop/nest-service';
import { eventually, send, type TestTopic, testTopic } from '@eshop/nest-service/testing';
import { ContractError } from '@eshop/proto';
import { type QueuedOrder, queuedOrderRecord, type SendSubmitOrderNotifyRequest } from '@eshop/proto/order';
import { OrderStatus } from '../src/order/order-status.js';
import { OrderSagas } from '../src/submission/order-saga.js';
import { SubmissionStore } from '../src/submission/submission.store.js';
import { NO_PRODUCT, PRICE, type Started, startOrder } from './service.js';

const PARTITIONS = 3;

const request = (fields: Partial<SendSubmitOrderNotifyRequest> = {}): SendSubmitOrderNotifyRequest => ({
  userID: randomInt(1, 2 ** 40),
  productID: randomInt(1000, 2 ** 40),
  productCount: 2,
  amount: 1,
  couponID: 0,
  ...fields,
});

const queued = (fields: Partial<QueuedOrder> = {}): QueuedOrder => ({
  ...request(),
  orderID: newTimeID(),
  saleID: 0,
  ...fields,
});

const group = `order-${randomUUID()}`;
let topic: TestTopic;
let shop: Started;
beforeAll(async () => {
  topic = await testTopic(PARTITIONS, 'orders');
  shop = await startOrder({ topic, kafka: { orderGroup: group } });
});
afterAll(async () => {
  await shop?.close();
  await topic?.drop();
});

const put = (...orders: QueuedOrder[]) =>
  topic.send(orders.map((order) => ({ key: order.orderID, value: queuedOrderRecord.write(order) })));

const ended = (orderID: string, state: string) =>
  eventually(async () => {
    const found = await shop.orders.getByOrderID({ orderID }).catch(() => undefined);
    return found?.state === state ? found : undefined;
  }, `order ${orderID} to be ${state}`);

/** Everything that is in the topic has been carried out. */
const committed = () =>
  eventually(async () => {
    const offsets = await topic.committed(group);
    const done = offsets.reduce((sum, offset) => sum + Math.max(offset, 0), 0);
    return done === (await topic.records()).length ? true : undefined;
  }, 'all records to be committed');

const lettersOf = async (value: string) =>
  (await topic.deadLetters()).filter((letter) => String(letter.value) === value);

describe('a queued submit', () => {
  it('answers with an order id that can be asked for at once, and is placed', async () => {
    const wish = request();
    const { orderID } = await shop.orders.sendSubmitOrderNotify(wish);
    const { state } = await shop.orders.getByOrderID({ orderID });
    expect(['queued', 'pending', 'placed']).toContain(state);
    const { order, transaction } = await ended(orderID, 'placed');
    expect(transaction).toBe('succeed');
    expect(order).toMatchObject({ orderID, userID: wish.userID, amount: 2 * PRICE, price: PRICE, saleID: 0 });
    expect(shop.peers.branchesOf(orderID)).toEqual(['02 stock.stockDeduct', '03 pay.create']);
  });

  it('puts a record with the order, its id as key, and the ids of the request', async () => {
    const wish = request();
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    const { body } = await send('POST', `${shop.service.http}/api/v1/order/sendSubmitNotify`, wish, {
      'x-request-id': 'queued-1',
      traceparent,
    });
    const orderID = String(body.data.orderID);
    const record = (await topic.records()).find(({ key }) => String(key) === orderID);
    expect(JSON.parse(String(record?.value))).toEqual({ ...wish, orderID, saleID: 0 });
    expect(record?.headers).toEqual({ 'order-id': orderID, 'request-id': 'queued-1', traceparent, source: 'submit' });
    await ended(orderID, 'placed');
    const [row] = await shop.rows<{ request_id: string }>('SELECT * FROM order_submission WHERE order_id = ?', [
      orderID,
    ]);
    expect(row?.request_id).toBe('queued-1');
  });

  it('carries many out that come at the same time, each once', async () => {
    const productID = randomInt(1000, 2 ** 40);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => shop.orders.sendSubmitOrderNotify(request({ productID }))),
    );
    const ids = answers.map(({ orderID }) => orderID);
    expect(new Set(ids).size).toBe(100);
    for (const orderID of ids) await ended(orderID, 'placed');
    // DTM calls the branches of a saga that takes longer than its retry interval once more; the barriers see to the effect.
    for (const orderID of ids) expect(new Set(shop.peers.branchesOf(orderID)).size).toBe(2);
    await committed();
  });

  it.each([
    ['PRODUCT_NOT_FOUND', { productID: NO_PRODUCT }],
    ['AMOUNT_TOO_LARGE', { productCount: 0xffff_ffff }],
  ])('that cannot be sold is cancelled with %s, and is no dead letter', async (code, fields) => {
    const { orderID } = await shop.orders.sendSubmitOrderNotify(request(fields));
    const found = await ended(orderID, 'cancelled');
    expect(found).toMatchObject({ reason: expect.stringMatching(`^${code}: `), transaction: '' });
    expect(found.order).toBeUndefined();
    expect(shop.peers.branchesOf(orderID)).toEqual([]);
    await committed();
    expect((await topic.deadLetters()).filter(({ key }) => String(key) === orderID)).toEqual([]);
  });

  it('that a branch refuses is cancelled like any other', async () => {
    const wish = request();
    shop.peers.on('stock.stockDeduct', ({ productID }) => {
      if (productID === wish.productID) throw new ContractError('STOCK_INSUFFICIENT', 'sold out');
      return {};
    });
    const { orderID } = await shop.orders.sendSubmitOrderNotify(wish);
    expect(await ended(orderID, 'cancelled')).toMatchObject({ transaction: 'failed', order: { status: 5 } });
  });

  it.each([
    ['userID', { userID: 0 }],
    ['productCount', { productCount: 0 }],
    ['amount', { amount: 0 }],
  ])('without %s is refused before anything is recorded', async (field, fields) => {
    const wish = request(fields);
    const { status, body } = await send('POST', `${shop.service.http}/api/v1/order/sendSubmitNotify`, wish);
    expect(status).toBe(400);
    expect(body.violations?.map((violation) => violation.field)).toContain(field);
    await expect(shop.orders.sendSubmitOrderNotify(wish)).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    expect(await shop.rows('SELECT 1 FROM order_submission WHERE product_id = ?', [wish.productID])).toEqual([]);
  });
});

describe('a record of the queue', () => {
  it('that came twice leads to one order', async () => {
    const order = queued();
    await put(order, order);
    await ended(order.orderID, 'placed');
    await put(order);
    await committed();
    expect(shop.peers.branchesOf(order.orderID)).toEqual(['02 stock.stockDeduct', '03 pay.create']);
    expect(await lettersOf(queuedOrderRecord.write(order))).toEqual([]);
  });

  it('with the id of an order whose submission it is not becomes a dead letter', async () => {
    const order = queued();
    await put(order);
    await ended(order.orderID, 'placed');
    const other = { ...order, productCount: 9 };
    await put(other);
    await committed();
    const [letter] = await lettersOf(queuedOrderRecord.write(other));
    expect(letter?.headers).toMatchObject({ 'dead-letter-code': 'CONFLICT', 'dead-letter-topic': topic.name });
    expect((await shop.orders.getByOrderID({ orderID: order.orderID })).order).toMatchObject({ productCount: 2 });
  });

  it('with the id of an order that was never queued becomes a dead letter', async () => {
    const wish = request();
    const { orderID } = await shop.orders.submit({ ...wish, waitResult: true });
    const forged = queued({ ...wish, orderID });
    await put(forged);
    await committed();
    expect(await lettersOf(queuedOrderRecord.write(forged))).toHaveLength(1);
  });

  const { orderID, saleID, ...five } = queued();
  it.each([
    ['no JSON', 'order 7', 'MALFORMED_BODY', /not JSON/],
    ['nothing', '', 'MALFORMED_BODY', /not JSON/],
    ['a list', '[1]', 'INVALID_PARAMETER', /JSON object/],
    [
      'an order without an id, as the predecessor of this shop wrote',
      JSON.stringify(five),
      'INVALID_PARAMETER',
      /orderID/,
    ],
    ['an order without a user', JSON.stringify({ ...five, orderID, userID: 0 }), 'INVALID_PARAMETER', /userID/],
    [
      'an order with text for a number',
      JSON.stringify({ ...five, orderID, amount: '1' }),
      'INVALID_PARAMETER',
      /amount/,
    ],
    [
      'an order with an absurd number',
      JSON.stringify({ ...five, orderID, userID: 1e300 }),
      'INVALID_PARAMETER',
      /userID/,
    ],
  ])(
    'that is %s becomes a dead letter with its cause, and the next is carried out',
    async (_what, value, code, cause) => {
      const key = randomUUID();
      const good = queued();
      await topic.send([{ key, value }], 1);
      await topic.send([{ key: good.orderID, value: queuedOrderRecord.write(good) }], 1);
      await ended(good.orderID, 'placed');
      await committed();
      const [letter, ...more] = (await topic.deadLetters()).filter((one) => String(one.key) === key);
      expect(more).toEqual([]);
      expect(String(letter?.value)).toBe(value);
      expect(letter?.headers).toMatchObject({
        'dead-letter-code': code,
        'dead-letter-cause': expect.stringMatching(cause),
        'dead-letter-topic': topic.name,
        'dead-letter-partition': '1',
        'dead-letter-offset': expect.stringMatching(/^\d+$/),
      });
    },
  );
});

describe('an order of a flash sale', () => {
  const sold = () => queued({ productCount: 1, saleID: randomInt(1, 2 ** 40) });

  it('takes its unit from the sale, and says so in its row', async () => {
    const order = sold();
    await put(order);
    const found = await ended(order.orderID, 'placed');
    expect(found.order).toMatchObject({ saleID: order.saleID, amount: PRICE, status: OrderStatus.toPay });
    expect(shop.peers.branchesOf(order.orderID)).toEqual(['01 stock.stockDeduct', '02 pay.create']);
    const { productID, saleID } = order;
    expect(shop.peers.requestOf(order.orderID, 'stock.stockDeduct')).toEqual({ productID, productCount: 1, saleID });
  });

  it('that is rolled back gives its unit back, once', async () => {
    const order = sold();
    shop.peers.on('pay.create', ({ orderID: id }) => {
      if (id === order.orderID) throw new ContractError('CONFLICT', 'no payment');
      return {};
    });
    await put(order);
    const found = await ended(order.orderID, 'cancelled');
    expect(found.order).toMatchObject({ status: OrderStatus.cancelled });
    const { productID, saleID, orderID } = order;
    const gid = `${orderID}-return`;
    await eventually(async () => shop.peers.requestOf(gid, 'flashSale.returnUnit'), 'the unit to be returned');
    expect(shop.peers.requestOf(gid, 'flashSale.returnUnit')).toEqual({ productID, saleID, orderID });
    expect(shop.peers.branchesOf(gid)).toHaveLength(1);
  });

  it('that cannot be sold gives its unit back without a saga, also when its record comes again', async () => {
    const order = { ...sold(), productID: NO_PRODUCT };
    await put(order, order);
    const found = await ended(order.orderID, 'cancelled');
    expect(found.reason).toMatch(/^PRODUCT_NOT_FOUND: /);
    await committed();
    const gid = `${order.orderID}-return`;
    await eventually(async () => shop.peers.requestOf(gid, 'flashSale.returnUnit'), 'the unit to be returned');
    expect(shop.peers.requestOf(gid, 'flashSale.returnUnit')).toMatchObject({ orderID: order.orderID });
    expect(shop.peers.branchesOf(gid)).toHaveLength(1);
    expect(shop.peers.branchesOf(order.orderID)).toEqual([]);
  });

  it('is among the orders as soon as it is accepted', async () => {
    const order = sold();
    const rows: unknown[] = [];
    shop.peers.on('stock.stockDeduct', async ({ saleID }) => {
      if (saleID === order.saleID) {
        rows.push(...(await shop.rows('SELECT status FROM order_record WHERE order_id = ?', [order.orderID])));
      }
      return {};
    });
    await put(order);
    await ended(order.orderID, 'placed');
    expect(rows).toEqual([{ status: OrderStatus.toPay }]);
  });

  it('is neither accepted nor entered when its id is that of another order', async () => {
    const order = sold();
    await shop.rows(
      `INSERT INTO order_record (order_id, user_id, product_id, product_count, amount, coupon_id, status)
       VALUES (?, 1, 1, 1, 1, 0, ?)`,
      [order.orderID, OrderStatus.toPay],
    );
    await put(order);
    await committed();
    expect(await lettersOf(queuedOrderRecord.write(order))).toHaveLength(1);
    expect(await shop.rows('SELECT 1 FROM order_submission WHERE order_id = ?', [order.orderID])).toEqual([]);
    expect(shop.peers.branchesOf(order.orderID)).toEqual([]);
  });

  it('gives its unit back before anybody is told that it is cancelled, whoever finds that out', async () => {
    const order = { ...sold(), productID: randomInt(1000, 2 ** 40) };
    const submission = { ...order, amount: PRICE, price: PRICE, couponAmount: 0, requestID: '' };
    shop.peers.on('pay.create', ({ orderID: id }) => {
      if (id === order.orderID) throw new ContractError('CONFLICT', 'no payment');
      return {};
    });
    const { app } = shop.service;
    await app.get(SubmissionStore).accept(submission, { relayAfterSeconds: 3600 });
    await app.get(OrderSagas).of(submission).submit({ fresh: true, waitResult: true });
    await ended(order.orderID, 'cancelled');
    const unit = await eventually(
      async () => shop.peers.requestOf(`${order.orderID}-return`, 'flashSale.returnUnit'),
      'the unit to be returned',
    );
    expect(unit).toMatchObject({ orderID: order.orderID });
  });

  it('is counted for its sale while it is not cancelled', async () => {
    const saleID = randomInt(1, 2 ** 40);
    const productID = randomInt(1000, 2 ** 40);
    const of = (userID: number, fields: Partial<QueuedOrder> = {}) => ({
      ...sold(),
      userID,
      productID,
      saleID,
      ...fields,
    });
    const orders = [of(1), of(1), of(2), of(3)];
    shop.peers.on('stock.stockDeduct', () => {
      throw new ContractError('UNAVAILABLE', 'down for a moment');
    });
    await put(...orders);
    const counted = (pending: number) =>
      eventually(async () => {
        const reply = await shop.orders.saleOrders({ productID, saleID });
        return reply.pending === pending ? reply : undefined;
      }, `${pending} orders to be under way`);
    expect((await counted(4)).users).toEqual([
      { userID: 1, count: 2 },
      { userID: 2, count: 1 },
      { userID: 3, count: 1 },
    ]);
    shop.peers.on('stock.stockDeduct', () => {
      const last = shop.peers.calls.at(-1);
      if (last?.gid === orders[3]?.orderID) throw new ContractError('STOCK_INSUFFICIENT', 'none');
      return {};
    });
    expect((await counted(0)).users).toEqual([
      { userID: 1, count: 2 },
      { userID: 2, count: 1 },
    ]);
    expect((await shop.orders.saleOrders({ productID, saleID: saleID + 1 })).users).toEqual([]);
  });
});
