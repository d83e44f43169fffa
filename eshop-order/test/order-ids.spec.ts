import { randomUUID } from 'node:crypto';
import { dataSourceOptions, mysqlSection, openDatabase } from '@eshop/nest-service/mysql';
import { send, testDatabase } from '@eshop/nest-service/testing';
import { CreateOrderRecord1700000000001 } from '../src/migrations/1700000000001-create-order-record.js';
import { CreateOrderSubmission1700000000002 } from '../src/migrations/1700000000002-create-order-submission.js';
import { AddSaleAndQueue1700000000003 } from '../src/migrations/1700000000003-add-sale-and-queue.js';
import { OrderIDsByBytes1700000000005 } from '../src/migrations/1700000000005-order-ids-by-bytes.js';
import { Order } from '../src/order/order.entity.js';
import { type Started, startOrder } from './service.js';

const request = { userID: 1, productID: 5, productCount: 1, amount: 1, couponID: 0, waitResult: true };

/** Inserts a submission and an order row under an id. */
async function enter(query: (sql: string, values?: string[]) => Promise<object[]>, orderID: string): Promise<void> {
  await query(
    `INSERT INTO order_submission (order_id, user_id, product_id, product_count, amount, coupon_id, coupon_amount, state, reason,
       request_id, next_attempt_at) VALUES (?, 1, 5, 1, 1, 0, 0, 1, '', '', NOW(3))`,
    [orderID],
  );
  await query(
    `INSERT INTO order_record (order_id, user_id, product_id, product_count, amount, coupon_id, status)
       VALUES (?, 1, 5, 1, 1, 0, 1)`,
    [orderID],
  );
}

describe('an order', () => {
  let shop: Started;
  beforeAll(async () => {
    shop = await startOrder();
  });
  afterAll(() => shop.close());

  const rows = (sql: string, values: string[] = []) => shop.rows<object>(sql, values);

  it('is found under its own id, and under none that differs in case', async () => {
    const orderID = `a-${randomUUID()}`;
    await enter(rows, orderID);
    expect((await shop.orders.getByOrderID({ orderID })).order).toMatchObject({ orderID });
    await expect(shop.orders.getByOrderID({ orderID: orderID.toUpperCase() })).rejects.toMatchObject({
      code: 'ORDER_NOT_FOUND',
    });
    await enter(rows, orderID.toUpperCase());
    expect((await shop.orders.getByOrderID({ orderID })).order).toMatchObject({ orderID });
  });

  it.each(['order_record', 'order_submission'])('%s itself does not find it with a blank behind', async (table) => {
    const { orderID } = await shop.orders.submit(request);
    const found = (id: string) => rows(`SELECT order_id FROM ${table} WHERE order_id = ?`, [id]);
    expect(await found(orderID)).toEqual([{ order_id: orderID }]);
    expect(await found(`${orderID} `)).toEqual([]);
    const [plan] = await rows(`EXPLAIN SELECT user_id FROM ${table} WHERE order_id = ?`, [orderID]);
    expect(plan).toMatchObject({ type: 'const', key: expect.stringMatching(/^(order_id|PRIMARY)$/) });
  });

  it.each([' ', '\t', '\n', '\0', '\u00a0', 'é', '%', ';', '1'.repeat(20)])(
    'is not asked for with %j behind its id: over HTTP and gRPC that is refused',
    async (behind) => {
      const { orderID } = await shop.orders.submit(request);
      const path = `/api/v1/order/byOrderID/${encodeURIComponent(orderID + behind)}`;
      expect(await send('GET', shop.service.http + path)).toMatchObject({ status: 400, body: { code: 40000 } });
      await expect(shop.orders.getByOrderID({ orderID: orderID + behind })).rejects.toMatchObject({
        code: 'INVALID_PARAMETER',
        violations: [expect.objectContaining({ field: 'orderID' })],
      });
    },
  );

  it('whose row has a zero date is shown without that time, in the list as well', async () => {
    const { orderID } = await shop.orders.submit(request);
    await rows("SET SESSION sql_mode = ''");
    await rows("UPDATE order_record SET created_at = '0000-00-00' WHERE order_id = ?", [orderID]);
    expect((await shop.orders.getByOrderID({ orderID })).order).toMatchObject({ orderID, createdAt: '' });
    const { orders } = await shop.orders.list({ params: { page: 0, limit: 100, sort: '-id', columns: [] } });
    expect(orders.find((order) => order.orderID === orderID)?.createdAt).toBe('');
    expect(orders.filter(({ createdAt }) => createdAt !== '').length).toBe(orders.length - 1);
  });
});

it('tables of a release before keep their rows, work for that release, and can be changed twice', async () => {
  const database = await testDatabase('order_ids');
  const config = mysqlSection.parse(database.mysql);
  const migrations = [CreateOrderRecord1700000000001, CreateOrderSubmission1700000000002, AddSaleAndQueue1700000000003];
  const source = await openDatabase(config, dataSourceOptions(config, { entities: [Order], migrations }));
  const runner = source.createQueryRunner();
  const query = (sql: string, values: string[] = []) => database.query<object>(sql, values);
  try {
    const orderID = 'a'.repeat(26);
    await enter(query, orderID);
    const migration = new OrderIDsByBytes1700000000005();
    await migration.up(runner);
    await migration.up(runner);
    for (const other of [orderID.toUpperCase(), `${orderID} `]) await enter(query, other);
    await expect(enter(query, orderID)).rejects.toMatchObject({ errno: 1062 });
    for (const table of ['order_record', 'order_submission']) {
      expect(await query(`SELECT order_id FROM ${table}`)).toHaveLength(3);
      // as the store ends several at once
      await query(`UPDATE ${table} SET product_count = CASE order_id WHEN ? THEN 7 END WHERE order_id IN (?)`, [
        orderID,
        orderID,
      ]);
      expect(await query(`SELECT order_id FROM ${table} WHERE product_count = 7`)).toEqual([{ order_id: orderID }]);
    }
  } finally {
    await runner.release();
    await source.destroy();
    await database.drop();
  }
});
