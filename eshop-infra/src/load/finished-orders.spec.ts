import { World } from '../audit/testing/world.ts';
import { Balancer } from '../balancer/balancer.ts';
import { OrderBook } from './finished-orders.ts';

let world: World;
let book: OrderBook;
beforeAll(async () => {
  world = await World.create();
  book = await OrderBook.open(world.url, world.schemas.order);
});
afterAll(async () => {
  await book.close();
  await world.drop();
});

it('reads how the orders of a run ended, and how long they took', async () => {
  /** Seconds from acceptance until the order is entered. */
  const entered = 0.1;
  const start = '2030-01-01 00:00:00.000';
  const plant = async (
    productID: number,
    state: 'pending' | 'placed' | 'cancelled' | 'queued',
    from: number,
    to: number | null,
  ) => {
    const id = await world.order({ productID, state });
    await world.sql(
      `UPDATE {order}.order_submission SET created_at = ? + INTERVAL ? SECOND, finished_at = ? + INTERVAL ? SECOND,
         order_id = CONCAT(DATE_FORMAT(? + INTERVAL ? SECOND, '%Y%m%d%H%i%s%f'), RIGHT(order_id, 6))
       WHERE order_id = ?`,
      [start, from + entered, start, to, start, from, id],
    );
  };
  await plant(1, 'placed', 1, 1.25);
  await plant(2, 'placed', 2, 2.5);
  await plant(2, 'cancelled', 3, 4);
  await plant(2, 'placed', 9, 12);
  await plant(2, 'pending', 9, null);
  await plant(3, 'placed', 1, 2);
  await plant(2, 'placed', -1, 1);
  await plant(3, 'queued', 9, null);
  const run = { products: [1, 2], since: start, accepted: 5 };
  expect(await book.finished(run, '2030-01-01 00:00:10.000')).toEqual({
    placed: 3,
    cancelled: 1,
    unfinished: 1,
    duringLoad: 3,
    latency: { p50: 500, p95: 3000, p99: 3000, max: 3000 },
    tailSeconds: 2,
  });
  expect(await book.unfinished(start)).toBe(2);
  expect(await book.waitUntilFinished(run, 0.2)).toBe(2);
  expect(await book.waitWhileFinishing(run, 0.2)).toBe(2);
  const waiting = book.waitWhileFinishing(run, 20);
  await world.sql('UPDATE {order}.order_submission SET state = 1, finished_at = NOW(3) WHERE state IN (0, 3)');
  expect(await waiting).toBe(0);
  expect(await book.waitWhileFinishing({ ...run, accepted: 7 }, 0.2)).toBe(2);
  expect(await book.waitUntilFinished({ ...run, accepted: 7 }, 0.2)).toBe(2);
  expect(await book.waitUntilFinished(run, 0.2)).toBe(0);
});

it('reads on when the database has been away', async () => {
  const { hostname, port } = new URL(world.url);
  const database = [{ host: hostname, port: Number(port || 3306) }];
  const address = { host: '127.0.0.1', port: 0 };
  let way = new Balancer(database);
  address.port = await way.listen(address);
  const url = Object.assign(new URL(world.url), { host: `127.0.0.1:${address.port}` });
  const other = await OrderBook.open(url.href, world.schemas.order);
  try {
    await way.close();
    const reading = other.now();
    way = new Balancer(database);
    await way.listen(address);
    expect(await reading).toMatch(/^\d{4}-/);
  } finally {
    await other.close();
    await way.close();
  }
});

it('tells at once of a table that is not there', async () => {
  const elsewhere = await OrderBook.open(world.url, 'no_such_schema');
  try {
    await expect(elsewhere.unfinished('2030-01-01')).rejects.toThrow('no_such_schema');
  } finally {
    await elsewhere.close();
  }
});
