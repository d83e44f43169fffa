import { randomInt } from 'node:crypto';
import { type Started, startOrder } from './service.js';

const MAX_USERS = 200_000;

let shop: Started;
beforeAll(async () => {
  shop = await startOrder();
});
afterAll(() => shop?.close());

/** Records a placed order of each of so many users. */
const buy = (productID: number, saleID: number, firstUser: number, users: number) =>
  shop.rows(
    `INSERT INTO order_submission (order_id, user_id, product_id, product_count, amount, coupon_id, coupon_amount, sale_id,
       state, reason, request_id, next_attempt_at)
     WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499)
     SELECT CONCAT('s', ?, '-', a.i * 500 + b.i + ?), a.i * 500 + b.i + ?, ?, 1, 100, 0, 0, ?, 1, '', '', NOW(3)
     FROM n AS a CROSS JOIN n AS b WHERE a.i * 500 + b.i < ?`,
    [saleID, firstUser, firstUser, productID, saleID, users],
  );

it('the users of a sale are told in one reply, or it is said that there are too many', async () => {
  const [productID, saleID] = [randomInt(1, 2 ** 40), randomInt(1, 2 ** 40)];
  await buy(productID, saleID, 1, MAX_USERS);
  const { pending, users } = await shop.orders.saleOrders({ productID, saleID });
  expect([pending, users.length, users[0], users.at(-1)]).toEqual([
    0,
    MAX_USERS,
    { userID: 1, count: 1 },
    { userID: MAX_USERS, count: 1 },
  ]);
  await buy(productID, saleID, MAX_USERS + 1, 1);
  await expect(shop.orders.saleOrders({ productID, saleID })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER',
    violations: [{ field: 'saleID', rule: 'page.max_bytes' }],
  });
}, 120_000);
