import { randomInt, randomUUID } from 'node:crypto';
import { dataSourceOptions, mysqlSection, openDatabase } from '@eshop/nest-service/mysql';
import { testDatabase } from '@eshop/nest-service/testing';
import { CouponStatus } from '@eshop/proto/coupon';
import { Coupon } from '../src/coupon/coupon.entity.js';
import { CreateCoupon1700000000001 } from '../src/migrations/1700000000001-create-coupon.js';
import { CouponVersion1700000000002 } from '../src/migrations/1700000000002-coupon-version.js';
import { OrderIDsByBytes1700000000003 } from '../src/migrations/1700000000003-order-ids-by-bytes.js';
import { type Started, startCoupon } from './service.js';

describe('the order that holds a coupon', () => {
  let coupons: Started;
  beforeAll(async () => {
    coupons = await startCoupon();
  });
  afterAll(() => coupons.service.close());

  async function held(orderID: string) {
    const userID = randomInt(1, 2 ** 40);
    const { id: couponID } = await coupons.grpc.create({ userID, amount: 50, status: 0 });
    const coupon = { couponID, userID, amount: 50 };
    await coupons.grpc.couponUse(coupon, coupons.branch(orderID, 'action'));
    return coupon;
  }

  it('is not another whose id differs in case: that one does not free it', async () => {
    const orderID = `a-${randomUUID()}`;
    const other = orderID.toUpperCase();
    const coupon = await held(orderID);
    await coupons.grpc.couponUseRevert(coupon, coupons.branch(other, 'compensate'));
    expect((await coupons.grpc.getByID({ id: coupon.couponID })).coupon).toMatchObject({
      status: CouponStatus.USED,
      orderID,
    });
    const params = (value: string) => ({
      ...{ page: 0, limit: 0, sort: '' },
      columns: [{ name: 'order_id', exp: '=', value, logic: '' }],
    });
    expect((await coupons.grpc.list({ params: params(other) })).total).toBe(0);
    expect((await coupons.grpc.list({ params: params(`${orderID} `) })).total).toBe(0);
    expect((await coupons.grpc.list({ params: params(orderID) })).total).toBe(1);
  });

  it('stays none where there is none', async () => {
    const { id } = await coupons.grpc.create({ userID: 1, amount: 50, status: 0 });
    expect(await coupons.service.database?.query("SELECT id FROM coupon WHERE id = ? AND order_id = ''", [id])).toEqual(
      [{ id }],
    );
  });
});

it('the table of a release before keeps its rows, works for that release, and can be changed twice', async () => {
  const database = await testDatabase('coupon_ids');
  const config = mysqlSection.parse(database.mysql);
  const migrations = [CreateCoupon1700000000001, CouponVersion1700000000002];
  const source = await openDatabase(config, dataSourceOptions(config, { entities: [Coupon], migrations }));
  const runner = source.createQueryRunner();
  try {
    await database.query("INSERT INTO coupon (user_id, amount, status, order_id) VALUES (1, 1, 2, 'abc')");
    const migration = new OrderIDsByBytes1700000000003();
    await migration.up(runner);
    await migration.up(runner);
    await database.query('INSERT INTO coupon (user_id, amount, status) VALUES (1, 1, 1)');
    expect(await database.query("SELECT order_id FROM coupon WHERE order_id IN ('abc', '') ORDER BY id")).toEqual([
      { order_id: 'abc' },
      { order_id: '' },
    ]);
    expect(await database.query("SELECT order_id FROM coupon WHERE order_id IN ('ABC', 'abc ')")).toEqual([]);
  } finally {
    await runner.release();
    await source.destroy();
    await database.drop();
  }
});
