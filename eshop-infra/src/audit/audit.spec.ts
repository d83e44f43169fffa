import { type AuditOptions, type AuditReport, audit } from './audit.ts';
import { explainOrder } from './explain.ts';
import { explanationText, reportText } from './report.ts';
import { ENTER_ORDER, TAKE_UNITS, World } from './testing/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.drop());

let plain: string;
let withCoupon: string;
let outOfStock: string;

/** A shop in order: sold, sold with a coupon, sold as the client said, out of stock, coupon refused, refused outright. */
beforeEach(async () => {
  await world.clear();
  await world.product(1, 100);
  await world.product(2, 50);
  await world.product(3, 10);
  await world.coupon(1, 30);
  await world.coupon(2, 40);
  plain = await world.placed({ count: 3 });
  withCoupon = await world.placed({ count: 2, couponID: 1, couponAmount: 30 });
  await world.placed({ productID: 2, price: null, amount: 88, status: 4, pay: 2 });
  outOfStock = await world.cancelled({ productID: 3, count: 11, branches: { pay: 'none' } });
  await world.cancelled({ productID: 2, count: 5, couponID: 9, branches: { stock: 'undone', coupon: 'skipped' } });
  await world.cancelled({ dtm: null, status: null, branches: { order: 'none', stock: 'none' } });
});

function run(options: AuditOptions = {}): Promise<AuditReport> {
  return audit(world.url, { schemas: world.schemas, ...options });
}

/** Which invariants are broken, and on what. */
async function found(options: AuditOptions = {}): Promise<string[]> {
  const { violations } = await run(options);
  return [...new Set(violations.map(({ invariant, subject }) => `${invariant} ${subject}`))].sort();
}

describe('a shop in order', () => {
  it('breaks nothing', async () => {
    const report = await run();
    expect(report.violations).toEqual([]);
    expect(report).toMatchObject({ holds: true, orders: { placed: 3, cancelled: 3, unfinished: 0 } });
    expect(report.books).toEqual([
      { productID: 1, initial: 100, stock: 95, allotted: 0, inOrders: 5, byBarriers: 5 },
      { productID: 2, initial: 50, stock: 49, allotted: 0, inOrders: 1, byBarriers: 1 },
      { productID: 3, initial: 10, stock: 10, allotted: 0, inOrders: 0, byBarriers: 0 },
    ]);
    expect(reportText(report)).toMatch(/audit: all invariants hold$/);
  });

  it('may be audited at any step of a running order', async () => {
    const running = { state: 'pending', pay: null } as const;
    await world.order({ ...running, status: null, dtm: null });
    await world.order({ ...running, status: null });
    await world.order({ ...running, branches: { order: 'done' } });
    await world.order({ ...running, count: 4, branches: { order: 'done', stock: 'done' } });
    await world.order({ state: 'pending', count: 2, branches: { order: 'done', stock: 'done', pay: 'done' } });
    await world.order({ state: 'pending', dtm: 'succeed', branches: { order: 'done', stock: 'done', pay: 'done' } });
    await world.order({
      ...running,
      dtm: 'aborting',
      status: 5,
      count: 5,
      branches: { order: 'undone', stock: 'done' },
    });
    await world.order({ ...running, dtm: 'aborting', branches: { order: 'done', stock: 'undone' } });
    await world.order({ ...running, couponID: 2, branches: { order: 'done', stock: 'done', coupon: 'done' } });
    await world.sql('UPDATE {stock}.stock SET stock = stock - 13 WHERE product_id = 1');
    const report = await run();
    expect(report.violations).toEqual([]);
    expect(report.orders.unfinished).toBe(9);
  });

  it('may have sagas of others in the same DTM', async () => {
    await world.saga('somebody-elses', 'succeed', '127.0.0.1:1/api.mail.v1.mail/Send');
    expect(await found()).toEqual([]);
  });
});

describe('I1', () => {
  it.each([
    ['missing', 'stock = stock - 1', '1 units are missing'],
    ['too many', 'stock = stock + 2', '2 units too many'],
    ['not in the books', 'initial = initial + 3', '3 units are missing'],
  ])('names the product whose units are %s', async (_, change, message) => {
    await world.sql(`UPDATE {stock}.stock SET ${change} WHERE product_id = 1`);
    const report = await run();
    expect(report.violations).toEqual([
      { invariant: 'I1', subject: 'product 1', message: expect.stringContaining(message) },
    ]);
    expect(reportText(report)).toMatch(/audit: VIOLATED I1 ×1$/);
  });

  it('names a product with a stock below zero', async () => {
    await world.sql('UPDATE {stock}.stock SET stock = -1, initial = 4 WHERE product_id = 1');
    expect(await found()).toEqual(['I1 product 1']);
  });

  it('names a product that is sold and has no stock row', async () => {
    await world.sql('DELETE FROM {stock}.stock WHERE product_id = 2');
    expect(await found()).toEqual(['I1 product 2']);
  });
});

describe('I3', () => {
  it('names an order that is still running when its time is over, and none that came later', async () => {
    const late = await world.order({ state: 'pending', status: null, pay: null, age: 60 });
    const halfway = await world.order({ state: 'cancelled', status: 5, pay: null, dtm: 'aborting', age: 60 });
    await world.order({ state: 'pending', status: null, pay: null, age: -60 });
    expect(await found()).toEqual([]);
    expect(await found({ settleSeconds: 0.3 })).toEqual([`I3 order ${late}`, `I3 order ${halfway}`]);
  });

  it('waits for running orders no longer than they run', async () => {
    const late = await world.order({ state: 'pending', status: null, pay: null, dtm: null });
    const waiting = run({ settleSeconds: 20 });
    await world.sql(
      "UPDATE {order}.order_submission SET state = 2, reason = 'gave up', finished_at = NOW(3) WHERE order_id = ?",
      [late],
    );
    expect(await waiting).toMatchObject({ holds: true, orders: { unfinished: 0 } });
  });

  it.each([
    ['order row is cancelled', 'status = 5, product_count = 0'],
    ['order row is for another product', 'product_id = 2'],
    ['order row is for another user', 'user_id = 8'],
  ])('names a placed order whose %s', async (_, change) => {
    await world.sql(`UPDATE {order}.order_record SET ${change} WHERE order_id = ?`, [plain]);
    expect(await found()).toContain(`I3 order ${plain}`);
  });

  it('names a placed order without an order row', async () => {
    await world.sql('DELETE FROM {order}.order_record WHERE order_id = ?', [plain]);
    await world.sql('UPDATE {stock}.stock SET initial = initial - 3 WHERE product_id = 1');
    expect(await found()).toContain(`I3 order ${plain}`);
  });

  it('names a placed order whose units were given back', async () => {
    const orderID = await world.order({ state: 'placed', dtm: 'succeed', branches: { order: 'done', pay: 'done' } });
    expect(await found()).toEqual(['I1 product 1', `I3 order ${orderID}`]);
  });

  it.each([
    ['whose saga failed', { state: 'placed', dtm: 'failed' }],
    ['that is cancelled although its saga succeeded', { state: 'cancelled', dtm: 'succeed' }],
  ] as const)('names an order %s', async (_, change) => {
    const orderID = change.state === 'placed' ? await world.placed(change) : await world.cancelled(change);
    expect(await found()).toEqual([`I3 order ${orderID}`]);
  });

  it('names a cancelled order whose row is in effect', async () => {
    const orderID = await world.cancelled({ count: 1, status: 1 });
    await world.sql('UPDATE {stock}.stock SET initial = initial + 1 WHERE product_id = 1');
    expect(await found()).toContain(`I3 order ${orderID}`);
  });

  it('names a cancelled order whose payment is in effect', async () => {
    const orderID = await world.cancelled({ pay: 1, branches: { pay: 'undone' } });
    expect(await found()).toEqual([`I3 order ${orderID}`]);
  });

  it('names a cancelled order whose units are still taken', async () => {
    const orderID = await world.cancelled({ branches: { stock: 'done' } });
    await world.sql('UPDATE {stock}.stock SET stock = stock - 1 WHERE product_id = 1');
    expect(await found()).toEqual(['I1 product 1', `I3 order ${orderID}`]);
  });
});

describe('I4', () => {
  it.each([
    ['no payment', 'DELETE FROM {pay}.pay WHERE order_id = ?'],
    ['a cancelled payment', 'UPDATE {pay}.pay SET status = 4 WHERE order_id = ?'],
    ['a payment over another amount', 'UPDATE {pay}.pay SET amount = amount + 1 WHERE order_id = ?'],
    ["another user's payment", 'UPDATE {pay}.pay SET user_id = 8 WHERE order_id = ?'],
    ['a row over another amount than accepted', 'UPDATE {order}.order_submission SET amount = 1 WHERE order_id = ?'],
    ['an amount that is not price × count', 'UPDATE {order}.order_record SET price = 99 WHERE order_id = ?'],
  ])('names a placed order with %s', async (_, plant) => {
    await world.sql(plant, [plain]);
    expect(await found()).toEqual([`I4 order ${plain}`]);
  });

  it('names an order whose coupon is worth something else', async () => {
    await world.sql('UPDATE {coupon}.coupon SET amount = 31 WHERE id = 1');
    expect(await found()).toEqual([`I4 order ${withCoupon}`]);
  });

  it('names an order that took off a coupon without having one', async () => {
    const orderID = await world.placed({ couponAmount: 5 });
    expect(await found()).toEqual([`I4 order ${orderID}`]);
  });

  it('names an order that is paid for twice', async () => {
    await world.sql('ALTER TABLE {pay}.pay DROP KEY order_id, ADD KEY order_id (order_id)');
    try {
      await world.sql('INSERT INTO {pay}.pay (user_id, order_id, amount, status) VALUES (7, ?, 300, 1)', [plain]);
      expect(await found()).toEqual([`I4 order ${plain}`]);
    } finally {
      await world.sql('DELETE FROM {pay}.pay');
      await world.sql('ALTER TABLE {pay}.pay DROP KEY order_id, ADD UNIQUE KEY order_id (order_id)');
    }
  });
});

describe('I5', () => {
  it('names an order whose coupon is not used', async () => {
    await world.sql("UPDATE {coupon}.coupon SET status = 1, order_id = '' WHERE id = 1");
    expect(await found()).toEqual([`I5 order ${withCoupon}`]);
  });

  it('names an order whose coupon does not exist', async () => {
    await world.sql('DELETE FROM {coupon}.coupon WHERE id = 1');
    expect(await found()).toEqual([`I5 order ${withCoupon}`]);
  });

  it("names an order with another user's coupon", async () => {
    await world.sql('UPDATE {coupon}.coupon SET user_id = 8 WHERE id = 1');
    expect(await found()).toEqual([`I5 order ${withCoupon}`]);
  });

  it('names the second of two orders with one coupon', async () => {
    const second = await world.placed({ couponID: 1, couponAmount: 30 });
    expect(await found()).toEqual([`I5 order ${withCoupon}`]);
    expect(second).not.toBe(withCoupon);
  });

  it.each([
    ['is used by no order', () => ''],
    ['is used by an order that does not exist', () => 'nobody'],
    ['is used by a cancelled order', () => outOfStock],
    ['is used by an order without a coupon', () => plain],
  ])('names a coupon that %s', async (_, holder) => {
    await world.sql('UPDATE {coupon}.coupon SET status = 2, order_id = ? WHERE id = 2', [holder()]);
    expect(await found()).toEqual(['I5 coupon 2']);
  });

  it('names a coupon that is unused and yet names a cancelled order', async () => {
    await world.sql('UPDATE {coupon}.coupon SET order_id = ? WHERE id = 2', [outOfStock]);
    expect(await found()).toEqual(['I5 coupon 2']);
  });
});

describe('I7', () => {
  it('names a placed order that nobody accepted', async () => {
    await world.sql('DELETE FROM {order}.order_submission WHERE order_id = ?', [plain]);
    const { violations } = await run();
    expect(violations).toEqual([
      {
        invariant: 'I7',
        subject: `order ${plain}`,
        message: expect.stringMatching(/DTM \(succeed\), an order row .*, a payment row .*, barrier rows of/),
      },
    ]);
  });

  it.each([ENTER_ORDER, TAKE_UNITS])('names a saga that nobody accepted and that begins with %s', async (branch) => {
    await world.saga('forgotten', 'submitted', branch);
    expect(await found()).toEqual(['I7 order forgotten']);
  });

  it.each(['order', 'stock', 'coupon', 'pay'] as const)(
    'names an order of which there are only barrier rows of %s',
    async (service) => {
      await world.barrier(service, 'forgotten', '01', 'skipped');
      expect(await found()).toEqual(['I7 order forgotten']);
    },
  );

  it('names a payment of an order that nobody accepted', async () => {
    await world.sql("INSERT INTO {pay}.pay (user_id, order_id, amount, status) VALUES (7, 'forgotten', 300, 1)");
    expect(await found()).toEqual(['I7 order forgotten']);
  });

  it('names a cancelled order of which nobody can tell why', async () => {
    await world.sql("UPDATE {order}.order_submission SET reason = '' WHERE order_id NOT IN (?, ?)", [
      plain,
      withCoupon,
    ]);
    const { violations } = await run();
    expect(violations.map(({ invariant }) => invariant)).toEqual(['I7']);
  });
});

describe('I8', () => {
  it.each(['order', 'pay'] as const)('names a placed order with an effect of %s without its row', async (service) => {
    await world.sql(`DELETE FROM {${service}}.barrier WHERE gid = ?`, [plain]);
    expect(await found()).toEqual([`I8 order ${plain}`]);
  });

  it('names a placed order with a coupon without its row', async () => {
    await world.sql('DELETE FROM {coupon}.barrier WHERE gid = ?', [withCoupon]);
    expect(await found()).toEqual([`I8 order ${withCoupon}`]);
  });

  it('names an order in effect whose branch was compensated', async () => {
    await world.sql(
      `INSERT INTO {pay}.barrier (trans_type, gid, branch_id, op, barrier_id, reason)
       VALUES ('saga', ?, '03', 'compensate', '01', 'compensate')`,
      [plain],
    );
    expect(await found()).toEqual([`I8 order ${plain}`]);
  });

  it('names an order in effect whose branch was skipped', async () => {
    await world.sql("UPDATE {order}.barrier SET reason = 'compensate' WHERE gid = ?", [plain]);
    expect(await found()).toEqual([`I8 order ${plain}`]);
  });

  it('names a cancelled order whose branch was never compensated', async () => {
    await world.sql("DELETE FROM {order}.barrier WHERE gid = ? AND op = 'compensate'", [outOfStock]);
    expect(await found()).toEqual([`I8 order ${outOfStock}`]);
  });

  it('names an order with a second branch of one service', async () => {
    await world.barrier('pay', plain, '04', 'done');
    expect(await found()).toEqual([`I8 order ${plain}`]);
  });

  it('names an order without a coupon that has barrier rows of one', async () => {
    await world.barrier('coupon', plain, '03', 'done');
    expect(await found()).toEqual([`I8 order ${plain}`]);
  });

  it('names order and product whose units were taken without a row', async () => {
    await world.sql('DELETE FROM {stock}.barrier WHERE gid = ?', [plain]);
    expect(await found()).toEqual([`I3 order ${plain}`, 'I8 product 1']);
  });

  it('names a product with rows that took other units than are gone', async () => {
    await world.sql("UPDATE {stock}.barrier SET reason = 'compensate' WHERE gid = ?", [outOfStock]);
    await world.sql("DELETE FROM {stock}.barrier WHERE gid = ? AND op = 'compensate'", [outOfStock]);
    expect(await found()).toEqual([`I8 order ${outOfStock}`]);
  });
});

describe('what is printed', () => {
  it('explains one order', async () => {
    await world.sql('UPDATE {pay}.pay SET amount = 5 WHERE order_id = ?', [plain]);
    const explanation = await explainOrder(world.url, plain, world.schemas);
    if (!explanation) throw new Error('no explanation');
    const text = explanationText(explanation);
    expect(text).toContain('price 100');
    expect(text).toContain('I4: order');
    expect(text).toContain('api.order.v1.order/Create');
    expect(await explainOrder(world.url, 'nobody', world.schemas)).toBeUndefined();
  });

  it('tells orders apart whose ids differ in case or in a blank, and shows the one that is asked for', async () => {
    const ids = ['a'.repeat(26), 'A'.repeat(26), `${'a'.repeat(25)} `];
    for (const orderID of ids) await world.placed({ orderID });
    expect(await found()).toEqual([]);
    await world.sql('UPDATE {pay}.pay SET amount = 5 WHERE order_id = ?', [ids[1]]);
    expect(await found()).toEqual([`I4 order ${ids[1]}`]);
    expect((await explainOrder(world.url, 'a'.repeat(26), world.schemas))?.violations).toEqual([]);
    expect((await explainOrder(world.url, 'A'.repeat(26), world.schemas))?.violations).toHaveLength(1);
  });

  it('is not held up by a zero date', async () => {
    await world.sql("SET SESSION sql_mode = ''");
    await world.sql("UPDATE {order}.order_submission SET created_at = '0000-00-00' WHERE order_id = ?", [plain]);
    expect(await found()).toEqual([]);
    const explanation = await explainOrder(world.url, plain, world.schemas);
    expect(explanation && explanationText(explanation)).toContain(plain);
  });

  it('is short when there is much', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => [i + 100, 10 + (i % 2), 10]);
    await world.sql('INSERT INTO {stock}.stock (product_id, initial, stock) VALUES ?', [rows]);
    const report = await run({ keep: 30 });
    expect(report.broken).toEqual({ I1: 250 });
    expect(report.violations).toHaveLength(30);
    const text = reportText(report);
    expect(text.split('\n').length).toBeLessThan(60);
    expect(text).toContain('… and 230 more');
    expect(text).toContain('all 503 products');
  });

  it('names the tables that are missing', async () => {
    const schemas = { ...world.schemas, pay: 'nowhere' };
    await expect(audit(world.url, { schemas })).rejects.toThrow('nowhere.pay.order_id');
  });
});
