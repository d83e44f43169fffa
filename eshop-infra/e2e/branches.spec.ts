import { call } from './support/http.ts';
import { couponOf, newCoupon, newProduct, newUserID, unitsOf } from './support/shop.ts';
import { service } from './support/system.ts';

describe('a branch method called by somebody who is not DTM', () => {
  const orderID = '20260101000000000000000000';
  const claims = `?gid=${orderID}&trans_type=saga&branch_id=01&op=action`;
  let bodies: Record<string, object>;
  let productID: number;
  let couponID: number;

  beforeAll(async () => {
    const userID = newUserID();
    productID = await newProduct({ stock: 10 });
    couponID = await newCoupon(userID);
    const order = { orderID, userID, productID, productCount: 1, amount: 1, couponID: 0, price: 1, couponAmount: 0 };
    bodies = {
      order,
      stock: { productID, productCount: 1 },
      coupon: { couponID, userID, amount: 100 },
      pay: { userID, orderID, amount: 1 },
    };
  });

  it.each([
    ['order', '/create'],
    ['order', '/createRevert'],
    ['stock', '/deduct'],
    ['stock', '/deductRevert'],
    ['coupon', '/use'],
    ['coupon', '/useRevert'],
    ['pay', '/create'],
    ['pay', '/createRevert'],
  ])('of %s: %s is refused and changes nothing', async (name, path) => {
    const url = `${service(name)}/api/v1/${name}${path}`;
    for (const [query, headers] of [
      ['', {}],
      [claims, {}],
      [claims, { 'dtm-signature': 'k1.AAAA' }],
    ] as const) {
      expect(await call('POST', url + query, bodies[name], headers)).toMatchObject({ status: 401, data: {} });
    }
    expect(await unitsOf(productID)).toBe(10);
    expect(await couponOf(couponID)).toMatchObject({ status: 1 });
    for (const table of ['order', 'pay']) {
      const column = { name: 'order_id', exp: '=', value: orderID, logic: '' };
      const params = { page: 0, limit: 1, sort: '', columns: [column] };
      const list = await call('POST', `${service(table)}/api/v1/${table}/list`, { params });
      expect(list.data.total).toBe(0);
    }
  });
});
