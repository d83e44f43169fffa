import { type AuditOptions, type AuditReport, audit } from '../audit.ts';
import { reportText } from '../report.ts';
import { World } from '../testing/world.ts';
import { WorldSale } from '../testing/world-sale.ts';

let world: World;
let sale: WorldSale;
let subject: string;

beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.drop());

let sold: string;
let cancelled: string;

/** A sale of 20 of 100 units, at most two a user: two units sold, one order rolled back, one on its way. */
beforeEach(async () => {
  await world.clear();
  await world.product(1, 100);
  sale = await WorldSale.open(world, 1, 20, 2);
  subject = `I2 sale ${sale.saleID} of product 1`;
  sold = await sale.sold({ userID: 7 });
  await sale.sold({ userID: 8 });
  cancelled = await world.cancelled({ saleID: sale.saleID, branches: { stock: 'undone' } });
  await sale.reserve(cancelled);
  await sale.giveBack(cancelled);
});
afterEach(() => sale.close());

function run(options: AuditOptions = {}): Promise<AuditReport> {
  return audit(world.url, { schemas: world.schemas, counters: sale.counters, ...options });
}

async function found(options: AuditOptions = {}): Promise<string[]> {
  const { violations } = await run(options);
  return [...new Set(violations.map((violation) => `${violation.invariant} ${violation.subject}`))].sort();
}

const settled = { settleSeconds: 0.2 };

describe('a flash sale in order', () => {
  it('breaks nothing', async () => {
    const report = await run(settled);
    expect(report.violations).toEqual([]);
    expect(report.sales).toEqual([
      { productID: 1, saleID: sale.saleID, units: 20, left: 18, reserved: 2, allotted: 18, state: 'counted' },
    ]);
    expect(reportText(report)).toMatch(/product 1 +20 +18 +2 +18 +read/);
  });

  it('may be audited at any step of an order', async () => {
    const planted = { saleID: sale.saleID, pay: null } as const;
    const reserve = (orderID: string) => sale.reserve(orderID, Number(orderID.slice(-4)) + 100);
    await reserve(world.newOrderID());
    for (const order of [
      { state: 'queued', status: null, dtm: null },
      { state: 'pending', status: null, dtm: null },
      { state: 'pending', branches: { order: 'done' } },
      { state: 'pending', dtm: 'aborting', branches: { order: 'done', stock: 'undone' } },
      { state: 'pending', dtm: 'aborting', branches: { order: 'done', stock: 'skipped' } },
    ] as const) {
      const orderID = world.newOrderID();
      await world.order({ ...planted, ...order, orderID, userID: Number(orderID.slice(-4)) + 100 });
      await reserve(orderID);
    }
    expect(await found()).toEqual([]);
    const report = await run();
    expect(report).toMatchObject({ orders: { unfinished: 5 }, sales: [{ left: 12, reserved: 8 }] });
  });

  it('waits for a unit that is on its way, until its order is placed', async () => {
    const orderID = await sale.reserve(world.newOrderID(), 9);
    const waiting = run({ settleSeconds: 20 });
    await world.placed({ orderID, userID: 9, saleID: sale.saleID });
    await world.sql('UPDATE {stock}.stock SET allotted = allotted - 1 WHERE product_id = 1');
    expect(await waiting).toMatchObject({ violations: [], sales: [{ left: 17, reserved: 3, allotted: 17 }] });
  });

  it('may have ended, whatever the counter says of the product', async () => {
    await world.sql('UPDATE {stock}.stock SET allotted = 0, sale_id = 0, sale_version = 2 WHERE product_id = 1');
    await world.sql('UPDATE {stock}.flash_sale SET units = 2, status = 2, version = 2');
    expect(await run(settled)).toMatchObject({ violations: [], sales: [] });
  });

  it('may be in the middle of a change', async () => {
    await world.saga('{1}-sale-2-x', 'submitted', '127.0.0.1:30382/api.stock.v1.stock/ApplySale');
    await world.barrier('stock', '{1}-sale-2-x', '01', 'done');
    await world.sql('UPDATE {stock}.stock SET allotted = 28, sale_version = 2 WHERE product_id = 1');
    await world.sql('UPDATE {stock}.flash_sale SET units = 30, version = 2, updated_at = NOW(3)');
    expect(await run()).toMatchObject({ violations: [], sales: [{ state: 'changing' }] });
    expect(await found(settled)).toEqual([subject]);
    await world.sql("UPDATE {dtm}.trans_global SET status = 'succeed' WHERE gid = '{1}-sale-2-x'");
    await sale.counter({ version: 2, left: 28 });
    expect(await run(settled)).toMatchObject({ violations: [], sales: [{ state: 'counted', left: 28 }] });
  });

  it('may have lost its counter, and then been given one that is rebuilt from the books', async () => {
    await sale.lose();
    const report = await run(settled);
    expect(report).toMatchObject({ violations: [], sales: [{ state: 'lost', left: null }] });
    expect(reportText(report)).toContain('closed until it is rebuilt');
    await sale.counter({ saleID: sale.saleID, version: 1, left: 18, limit: 2, status: 1 });
    expect(await found(settled)).toEqual([`I6 sale ${sale.saleID} of product 1`]);
  });
});

describe('I1', () => {
  it.each([
    ['more than the product has', 101],
    ['less than nothing', -1],
  ])('names a product of which %s belongs to a sale', async (_, allotted) => {
    await world.sql('UPDATE {stock}.stock SET allotted = ? WHERE product_id = 1', [allotted]);
    expect(await found()).toContain('I1 product 1');
  });
});

describe('I2', () => {
  it.each([
    ['left at the counter and never allotted', () => sale.counter({ left: 19 })],
    ['lost at the counter', () => sale.counter({ left: 17 })],
    ['in the books of the sale and not at the counter', () => world.sql('UPDATE {stock}.flash_sale SET units = 21')],
    ['kept in stock for nobody', () => world.sql('UPDATE {stock}.stock SET allotted = 19 WHERE product_id = 1')],
    ['taken from stock for nobody', () => world.sql('UPDATE {stock}.stock SET allotted = 17 WHERE product_id = 1')],
    ['returned twice', () => sale.counter({ left: 19 })],
    ['returned although its order is placed', () => sale.giveBack(sold, 99)],
  ])('names a sale with a unit %s', async (_, plant) => {
    await plant();
    expect(await found()).toContain(subject);
  });

  it('names a sale that has sold more than it had', async () => {
    await world.sql('UPDATE {stock}.flash_sale SET units = 1');
    const { violations } = await run({ counters: undefined });
    expect(violations).toEqual([
      { invariant: 'I2', subject: subject.slice(3), message: '1 units were allotted, but 2 orders are placed' },
    ]);
  });

  it('names a unit that is held for an order that nobody knows, once there was time', async () => {
    const orderID = await sale.reserve(world.newOrderID(), 9);
    expect(await found()).toEqual([]);
    const { violations } = await run(settled);
    expect(violations.map(({ message }) => message)).toEqual([
      `order ${orderID} holds a unit, but the order service does not know it`,
    ]);
  });

  it('names a unit that a cancelled order has not returned, once there was time', async () => {
    await sale.reserve(cancelled);
    expect(await found()).toEqual([]);
    expect(await found(settled)).toEqual([subject]);
  });

  it("names a unit that is held for another user's order", async () => {
    await sale.giveBack(sold, 7);
    await sale.reserve(sold, 99);
    expect(await found()).toContain(subject);
  });

  it.each([
    ['runs without stock', 'UPDATE {stock}.stock SET sale_id = 0, allotted = 0'],
    ['has ended and keeps stock', 'UPDATE {stock}.flash_sale SET status = 2'],
    ['has stock and no record', 'DELETE FROM {stock}.flash_sale'],
  ])('names a sale that %s', async (_, plant) => {
    await world.sql(plant);
    expect(await found()).toEqual([subject]);
  });
});

describe('I6', () => {
  const limit = () => `I6 sale ${sale.saleID} of product 1`;

  it('names a user with more units than the limit allows', async () => {
    await sale.sold({ userID: 7 });
    expect(await found()).toEqual([]);
    await sale.sold({ userID: 7 });
    const { violations } = await run();
    expect(violations).toEqual([
      { invariant: 'I6', subject: limit().slice(3), message: 'user 7 has 3 units, the limit is 2' },
    ]);
  });

  it('holds nothing against who bought before the limit was lowered', async () => {
    await sale.sold({ userID: 7 });
    await world.sql("UPDATE {stock}.flash_sale SET limit_per_user = 1, updated_at = '2026-11-23 00:00:00.000'");
    expect(await found()).toEqual([]);
  });

  it('names a user who is counted with more or fewer units than he has', async () => {
    const orderID = await sale.reserve(world.newOrderID(), 7);
    await sale.giveBack(orderID, 8);
    expect(await found()).toEqual([limit()]);
  });
});

describe('I3', () => {
  it('names an order that waits in the queue when its time is over', async () => {
    const orderID = await world.order({ state: 'queued', status: null, pay: null, dtm: null, age: 60 });
    expect(await found({ counters: undefined })).toEqual([]);
    expect(await found({ counters: undefined, ...settled })).toEqual([`I3 order ${orderID}`]);
  });

  it('names a placed order of another sale than it was accepted for', async () => {
    await world.sql('UPDATE {order}.order_record SET sale_id = 5 WHERE order_id = ?', [sold]);
    expect(await found()).toEqual([`I3 order ${sold}`]);
  });
});

describe('I8', () => {
  it('names an order with barrier rows of a branch that enters it, since it was entered when it was accepted', async () => {
    await world.barrier('order', sold, '03', 'done');
    expect(await found()).toEqual([`I8 order ${sold}`]);
  });

  it('names a placed order whose payment has no barrier row', async () => {
    await world.sql('DELETE FROM {pay}.barrier WHERE gid = ?', [sold]);
    expect(await found()).toEqual([`I8 order ${sold}`]);
  });
});
