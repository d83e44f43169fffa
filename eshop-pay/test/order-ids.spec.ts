import { randomUUID } from 'node:crypto';
import { dataSourceOptions, mysqlSection, openDatabase } from '@eshop/nest-service/mysql';
import { testDatabase } from '@eshop/nest-service/testing';
import { CreatePay1700000000001 } from '../src/migrations/1700000000001-create-pay.js';
import { OrderIDsByBytes1700000000002 } from '../src/migrations/1700000000002-order-ids-by-bytes.js';
import { Pay } from '../src/pay/pay.entity.js';
import { type Started, startPay } from './service.js';

describe('the order id of a payment', () => {
  let pays: Started;
  beforeAll(async () => {
    pays = await startPay();
  });
  afterAll(() => pays.service.close());

  const rows = (sql: string, ...values: string[]) => pays.service.database?.query<object>(sql, values) ?? [];

  it('is that one only: what differs in case is another order', async () => {
    const orderID = `a-${randomUUID()}`;
    const other = orderID.toUpperCase();
    const terms = { userID: 1, amount: 500 };
    await pays.grpc.create({ orderID, ...terms }, pays.branch(orderID, 'action'));
    await expect(pays.grpc.getByOrderID({ orderID: other })).rejects.toMatchObject({ code: 'PAY_NOT_FOUND' });
    await pays.grpc.create({ orderID: other, ...terms }, pays.branch(other, 'action'));
    await pays.grpc.createRevert({ orderID: other, ...terms }, pays.branch(other, 'compensate'));
    expect((await pays.grpc.getByOrderID({ orderID })).pay).toMatchObject({ orderID, status: 1 });
    expect((await pays.grpc.getByOrderID({ orderID: other })).pay).toMatchObject({ orderID: other, status: 4 });
    const params = { page: 0, limit: 0, sort: '', columns: [{ name: 'order_id', exp: '=', value: other, logic: '' }] };
    expect((await pays.grpc.list({ params })).pays.map((pay) => pay.orderID)).toEqual([other]);
  });

  it('is not found with a blank behind it, by the table itself', async () => {
    const orderID = randomUUID();
    await pays.grpc.create({ orderID, userID: 1, amount: 500 }, pays.branch(orderID, 'action'));
    expect(await rows('SELECT order_id FROM pay WHERE order_id = ?', orderID)).toEqual([{ order_id: orderID }]);
    expect(await rows('SELECT order_id FROM pay WHERE order_id = ?', `${orderID} `)).toEqual([]);
    expect(await rows('EXPLAIN SELECT id FROM pay WHERE order_id = ?', orderID)).toMatchObject([{ key: 'order_id' }]);
  });

  it.each([
    '20260102030405678901234567 ',
    '20260102030405678901234567\n',
    '1'.repeat(46),
    '1'.repeat(15),
    'é'.repeat(20),
  ])('%j is refused over HTTP and gRPC', async (orderID) => {
    expect(await pays.http('GET', `/byOrderID/${encodeURIComponent(orderID)}`)).toMatchObject({
      status: 400,
      code: 40000,
    });
    await expect(pays.grpc.getByOrderID({ orderID })).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  });
});

it('the table of a release before keeps its rows, also one with a zero date, and can be changed twice', async () => {
  const database = await testDatabase('pay_ids');
  const config = mysqlSection.parse(database.mysql);
  const options = dataSourceOptions(config, { entities: [Pay], migrations: [CreatePay1700000000001] });
  const source = await openDatabase(config, options);
  const runner = source.createQueryRunner();
  try {
    await database.query("SET SESSION sql_mode = ''");
    const insert = 'INSERT INTO pay (user_id, order_id, amount, status, created_at) VALUES (1, ?, 1, 1, ?)';
    await database.query(insert, ['a'.repeat(16), '2026-01-02']);
    await database.query(insert, ['b'.repeat(16), '0000-00-00']);
    const migration = new OrderIDsByBytes1700000000002();
    await migration.up(runner);
    await migration.up(runner);
    await database.query(insert, ['A'.repeat(16), '2026-01-02']);
    await database.query(insert, [`${'a'.repeat(16)} `, '2026-01-02']);
    expect(await database.query('SELECT order_id FROM pay ORDER BY id')).toHaveLength(4);
    await expect(database.query(insert, ['a'.repeat(16), '2026-01-02'])).rejects.toMatchObject({ errno: 1062 });
  } finally {
    await runner.release();
    await source.destroy();
    await database.drop();
  }
});
