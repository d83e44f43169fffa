import { randomInt, randomUUID } from 'node:crypto';
import { freePort } from '@eshop/nest-dtm/testing';
import { newTimeID } from '@eshop/nest-service';
import { eventually, type TestDatabase, type TestTopic, testDatabase, testTopic } from '@eshop/nest-service/testing';
import { ContractError } from '@eshop/proto';
import { queuedOrderRecord } from '@eshop/proto/order';
import { QueuedOrders } from '../src/queue/queued-orders.js';
import { requestHash } from '../src/submission/request-hash.js';
import { SubmissionState } from '../src/submission/submission.js';
import { SubmissionStore } from '../src/submission/submission.store.js';
import { type OrderProcess, startProcess } from './order-process.js';
import type { Peers } from './peers.js';
import { productsOf, type Started, startOrder, startPeers } from './service.js';
import { TcpProxy } from './tcp-proxy.js';

const SUBMIT = '/api/v1/order/submit';
const QUEUED_SUBMIT = '/api/v1/order/sendSubmitNotify';

const wish = () => ({
  userID: randomInt(1, 2 ** 40),
  productID: randomInt(1000, 2 ** 40),
  productCount: 1,
  amount: 1,
  couponID: 0,
});

const group = `order-${randomUUID()}`;
let topic: TestTopic;
beforeEach(async () => {
  topic = await testTopic(2, 'orders');
});
afterEach(() => topic.drop());

const recordOf = (fields: object = {}) => {
  const order = { ...wish(), orderID: newTimeID(), saleID: 0, ...fields };
  return { order, record: { key: order.orderID, value: queuedOrderRecord.write(order) } };
};

const committed = (total: number) =>
  eventually(async () => {
    const offsets = await topic.committed(group);
    return offsets.reduce((sum, offset) => sum + Math.max(offset, 0), 0) === total ? true : undefined;
  }, `${total} records to be committed`);

const placed = (shop: Started, orderID: string) =>
  eventually(async () => {
    const found = await shop.orders.getByOrderID({ orderID }).catch(() => undefined);
    return found?.state === 'placed' ? found : undefined;
  }, `order ${orderID} to be placed`);

describe('a service that is killed', () => {
  let database: TestDatabase;
  let peers: Peers;
  let port: number;
  const running: OrderProcess[] = [];
  beforeEach(async () => {
    database = await testDatabase('order');
    peers = await startPeers();
    port = await freePort();
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.kill();
    peers.close();
    await database.drop();
  });

  async function start(more: { kafka?: object; order?: object } = {}): Promise<OrderProcess> {
    const kafka = { orderGroup: group, ...more.kafka };
    const started = await startProcess(port, database, peers, { topic, kafka, order: { ...more.order } });
    running.push(started);
    return started;
  }

  const becomesPlaced = (service: OrderProcess, orderID: string) =>
    eventually(async () => {
      const { body } = await service.get(`/api/v1/order/byOrderID/${orderID}`);
      return body.data.state === 'placed' ? body.data : undefined;
    }, `order ${orderID} to be placed`);

  const submissions = () => database.query<{ order_id: string }>('SELECT order_id FROM order_submission');
  const orders = () => database.query<{ order_id: string }>('SELECT order_id FROM order_record WHERE status = 1');

  it('between record and saga: the order is placed, once', async () => {
    const asked = Promise.withResolvers<void>();
    peers.on('product.list', () => {
      asked.resolve();
      return new Promise<object>(() => undefined);
    });
    const first = await start();
    const { order, record } = recordOf({ saleID: 7 });
    await topic.send([record]);
    await asked.promise;
    await first.kill();
    expect(await submissions()).toEqual([]);
    peers.on('product.list', (request) => ({ total: 0, products: productsOf(request) }));
    const second = await start();
    await becomesPlaced(second, order.orderID);
    await committed(1);
    expect(await orders()).toEqual([{ order_id: order.orderID }]);
    expect(peers.branchesOf(order.orderID)).toEqual(['01 stock.stockDeduct', '02 pay.create']);
  });

  it('while an order of a flash sale is rolled back: its unit is returned', async () => {
    const refused = Promise.withResolvers<void>();
    peers.on('pay.create', () => {
      refused.resolve();
      throw new ContractError('CONFLICT', 'no payment');
    });
    const first = await start();
    const { order, record } = recordOf({ saleID: 7 });
    await topic.send([record]);
    await refused.promise;
    await first.kill();
    await start({ order: { relayAfterSeconds: 1 } });
    const { productID, orderID } = order;
    const unit = await eventually(
      async () => peers.requestOf(`${orderID}-return`, 'flashSale.returnUnit'),
      'the unit to be returned',
    );
    expect(unit).toEqual({ productID, saleID: 7, orderID });
    await eventually(async () => {
      const [row] = await database.query<{ state: number }>('SELECT state FROM order_submission');
      return row?.state === SubmissionState.cancelled ? true : undefined;
    }, 'the order to be cancelled');
    expect(await orders()).toEqual([]);
  });

  it('in the middle of many: each record leads to one order', async () => {
    let deducted = 0;
    const some = Promise.withResolvers<void>();
    peers.on('stock.stockDeduct', () => {
      if (++deducted === 20) some.resolve();
      return {};
    });
    const first = await start();
    const all = Array.from({ length: 150 }, () => recordOf());
    await topic.send(all.map(({ record }) => record));
    await some.promise;
    await first.kill();
    const second = await start();
    for (const { order } of all) await becomesPlaced(second, order.orderID);
    await committed(150);
    expect(await orders()).toHaveLength(150);
    expect(await topic.deadLetters()).toEqual([]);
  }, 90_000);

  it('between the acceptance of a submit and its answer: a repeat under the key gets the same order', async () => {
    const deducting = Promise.withResolvers<void>();
    let down = true;
    peers.on('stock.stockDeduct', async () => {
      deducting.resolve();
      if (down) await new Promise(() => undefined);
      return {};
    });
    const key = { 'idempotency-key': randomUUID() };
    const body = { ...wish(), waitResult: true };
    const first = await start();
    const unanswered = first.post(SUBMIT, body, key).catch(() => 'no answer');
    await deducting.promise;
    await first.kill();
    expect(await unanswered).toBe('no answer');
    down = false;
    const [accepted] = await submissions();
    const second = await start();
    const repeat = await second.post(SUBMIT, { ...body, waitResult: false }, key);
    expect(repeat.body.data.orderID).toBe(accepted?.order_id);
    await becomesPlaced(second, String(accepted?.order_id));
    expect(await submissions()).toHaveLength(1);
    expect(await orders()).toHaveLength(1);
  }, 60_000);

  it('before the queue has the order: a repeat under the key gets the same order, and it is placed', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = wish();
    const first = await start({
      kafka: { brokers: ['127.0.0.1:1'], sendTimeoutMs: 60_000 },
      order: { queueOverdueSeconds: 1 },
    });
    const unanswered = first.post(QUEUED_SUBMIT, body, key).catch(() => 'no answer');
    const [accepted] = await eventually(async () => {
      const rows = await submissions();
      return rows.length > 0 ? rows : undefined;
    }, 'the order to be recorded');
    await first.kill();
    expect(await unanswered).toBe('no answer');
    const second = await start();
    const repeat = await second.post(QUEUED_SUBMIT, body, key);
    expect(repeat).toMatchObject({ status: 200, body: { data: { orderID: accepted?.order_id } } });
    await becomesPlaced(second, String(accepted?.order_id));
    expect(await topic.records()).toEqual([]);
    expect(await submissions()).toHaveLength(1);
  }, 60_000);
});

describe('while a server is away', () => {
  it('DTM: queued orders wait, uncommitted, and are placed when it comes back', async () => {
    const grpc = await TcpProxy.to(process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790');
    const http = await TcpProxy.to(process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789');
    const dtm = { grpc: grpc.address, http: `http://${http.address}` };
    // The relay would place them too; here the queue alone is to do it.
    const shop = await startOrder({ topic, dtm, kafka: { orderGroup: group }, order: { relayIntervalMs: 3_600_000 } });
    try {
      grpc.takeDown();
      http.takeDown();
      const { orderID } = await shop.orders.sendSubmitOrderNotify(wish());
      const sale = recordOf({ saleID: 3 });
      const refused = recordOf({ saleID: 3, productID: 404 });
      await topic.send([sale.record, refused.record]);
      await eventually(async () => {
        const { state } = await shop.orders.getByOrderID({ orderID });
        return state === 'pending' ? true : undefined;
      }, 'the order to wait for DTM');
      expect((await topic.committed(group)).every((offset) => offset <= 0)).toBe(true);
      grpc.bringBack();
      http.bringBack();
      await placed(shop, orderID);
      await placed(shop, sale.order.orderID);
      await committed(3);
      const gid = `${refused.order.orderID}-return`;
      await eventually(async () => shop.peers.requestOf(gid, 'flashSale.returnUnit'), 'the unit to be returned');
      expect(shop.peers.branchesOf(orderID)).toEqual(['02 stock.stockDeduct', '03 pay.create']);
      expect(await topic.deadLetters()).toEqual([]);
    } finally {
      await shop.close();
      await grpc.close();
      await http.close();
    }
  });

  it('the database: a queued submit is 503, and records wait until it comes back', async () => {
    const server = new URL(process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306');
    const proxy = await TcpProxy.to(`${server.hostname}:${server.port || 3306}`);
    const [host, proxyPort] = proxy.address.split(':');
    const database = await testDatabase('order');
    const mysql = { ...database.mysql, host, port: Number(proxyPort), acquireTimeoutMs: 500, connectTimeoutMs: 500 };
    const shop = await startOrder({ topic, mysql, kafka: { orderGroup: group } });
    try {
      proxy.takeDown();
      await expect(shop.orders.sendSubmitOrderNotify(wish())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      const { order, record } = recordOf({ saleID: 3 });
      await topic.send([record]);
      const url = `${shop.service.http}/metrics`;
      await eventually(async () => {
        const text = await (await fetch(url)).text();
        return /kafka_consumer_duration_seconds_count\{[^}]*outcome="retry"/.test(text) || undefined;
      }, 'the record to be tried');
      proxy.bringBack();
      await placed(shop, order.orderID);
      await committed(1);
      expect(await database.query('SELECT 1 FROM order_submission')).toHaveLength(1);
    } finally {
      await shop.close();
      await proxy.close();
      await database.drop();
    }
  });

  it('Kafka: a queued submit is 503 and nothing is ordered; an ordinary submit goes on; readiness shows it', async () => {
    const shop = await startOrder({ kafka: { brokers: ['127.0.0.1:1'], sendTimeoutMs: 300 } });
    try {
      const body = wish();
      await expect(shop.orders.sendSubmitOrderNotify(body)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('nothing was ordered'),
      });
      const [row] = await shop.rows<{ state: number; order_id: string }>(
        'SELECT * FROM order_submission WHERE product_id = ?',
        [body.productID],
      );
      expect(row?.state).toBe(2);
      expect(await shop.orders.getByOrderID({ orderID: String(row?.order_id) })).toMatchObject({ state: 'cancelled' });
      expect((await shop.orders.submit({ ...wish(), waitResult: true })).state).toBe('placed');
      const ready = await fetch(`${shop.service.http}/ready`);
      expect(ready.status).toBe(200);
      expect(await ready.text()).toContain('"kafka":{"status":"down"');
    } finally {
      await shop.close();
    }
  });

  it('the queue is slow: the relay carries an overdue order out, and its record later changes nothing', async () => {
    const shop = await startOrder({ order: { queueOverdueSeconds: 1 } });
    try {
      const later = { ...wish(), orderID: newTimeID(), saleID: 0 };
      await shop.service.app
        .get(SubmissionStore)
        .accept(
          { ...later, price: 0, couponAmount: 0, requestID: '' },
          { state: SubmissionState.queued, relayAfterSeconds: 1, requestHash: requestHash(later) },
        );
      expect(await shop.orders.getByOrderID({ orderID: later.orderID })).toEqual({
        state: 'queued',
        reason: '',
        transaction: '',
        order: undefined,
      });
      await placed(shop, later.orderID);
      await shop.service.app.get(QueuedOrders).carryOut(later);
      expect(shop.peers.branchesOf(later.orderID)).toEqual(['02 stock.stockDeduct', '03 pay.create']);
    } finally {
      await shop.close();
    }
  });
});
