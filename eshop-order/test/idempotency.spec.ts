import { randomInt, randomUUID } from 'node:crypto';
import { eventually, send, type TestTopic, testTopic } from '@eshop/nest-service/testing';
import { DataSource } from 'typeorm';
import { IdempotencyKeyOfUser1700000000010 } from '../src/migrations/1700000000010-idempotency-key-of-user.js';
import { type Started, startOrder } from './service.js';

const wish = () => ({
  userID: randomInt(1, 2 ** 40),
  productID: randomInt(1000, 2 ** 40),
  productCount: 1,
  amount: 1,
  couponID: 0,
});
const under = (key: string) => ({ metadata: { 'idempotency-key': key } });

let topic: TestTopic;
let shop: Started;
beforeAll(async () => {
  topic = await testTopic(1, 'orders');
  shop = await startOrder({ topic });
});
afterAll(async () => {
  await shop?.close();
  await topic?.drop();
});

const rowsOf = (productID: number) => shop.rows('SELECT * FROM order_submission WHERE product_id = ?', [productID]);

describe.each([
  [
    'submit',
    '/api/v1/order/submit',
    (body: object, options: object) =>
      shop.orders.submit({ ...(body as ReturnType<typeof wish>), waitResult: false }, options),
  ],
  [
    'queued submit',
    '/api/v1/order/sendSubmitNotify',
    (body: object, options: object) => shop.orders.sendSubmitOrderNotify(body as ReturnType<typeof wish>, options),
  ],
])('a %s under an Idempotency-Key', (_what, path, submit) => {
  const post = (body: object, key: string) =>
    send('POST', `${shop.service.http}${path}`, body, { 'idempotency-key': key });

  it('is carried out once, however often it is sent at the same time', async () => {
    const body = wish();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => submit(body, under(key))));
    expect(new Set(answers.map(({ orderID }) => orderID)).size).toBe(1);
    expect(await rowsOf(body.productID)).toHaveLength(1);
  });

  it('is answered with the same order later, over both transports', async () => {
    const body = wish();
    const key = `later "${randomUUID()}" ~`;
    const first = await post(body, key);
    expect(first.status).toBe(200);
    const { orderID } = first.body.data;
    await eventually(
      async () =>
        (await shop.orders.getByOrderID({ orderID: String(orderID) })).state === 'placed' ? true : undefined,
      'the order to be placed',
    );
    expect((await post(body, key)).body.data).toMatchObject({ orderID });
    expect(await submit(body, under(key))).toMatchObject({ orderID });
  });

  it('is refused with 422 when another body comes under the key', async () => {
    const body = wish();
    const key = randomUUID();
    await submit(body, under(key));
    const other = await post({ ...body, productCount: 2 }, key);
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ code: 42200, data: {} });
    await expect(submit({ ...body, amount: 2 }, under(key))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      grpcStatus: 3,
    });
    expect(await rowsOf(body.productID)).toHaveLength(1);
  });

  it.each(['', 'x'.repeat(129), 'caf\u00e9'])('is refused with 400 when the key is %j', async (key) => {
    const body = wish();
    const { status, body: answer } = await post(body, key);
    expect(status).toBe(400);
    expect(answer.violations?.[0]?.field).toBe('Idempotency-Key');
    expect(await rowsOf(body.productID)).toEqual([]);
  });

  it('is the order of the user it is sent for: the same key of others is theirs', async () => {
    const key = randomUUID();
    const bodies = [wish(), wish()].map((body) => ({ ...body, productID: 77 }));
    const same = { ...bodies[0], userID: Number(bodies[1]?.userID) + 1 };
    const submitAll = async () =>
      (await Promise.all([...bodies, same].map((body) => submit(body, under(key))))).map(({ orderID }) => orderID);
    const first = await submitAll();
    expect(new Set(first).size).toBe(3);
    expect(await submitAll()).toEqual(first);
    const { status } = await post({ ...same, productCount: 2 }, key);
    expect(status).toBe(422);
  });

  it('is another order when the key is another, differs in case, or is absent', async () => {
    const body = wish();
    const key = `Key-${randomUUID()}`;
    const ids = [
      await submit(body, under(key)),
      await submit(body, under(key.toLowerCase())),
      await submit(body, under(`${key} `)),
      await submit(body, {}),
      await submit(body, {}),
    ].map(({ orderID }) => orderID);
    expect(new Set(ids).size).toBe(5);
  });
});

it('what was kept before keys had users is kept on', async () => {
  const body = wish();
  const key = randomUUID();
  const first = await shop.orders.submit({ ...body, waitResult: false }, under(key));
  // as the version before had it, and with a migration that ended half-way
  await shop.rows(`ALTER TABLE order_submission
    ADD KEY idempotency (idem_scope, idem_key), DROP KEY user_idempotency`);
  const migration = new IdempotencyKeyOfUser1700000000010();
  const runner = shop.service.app.get(DataSource).createQueryRunner();
  try {
    await migration.up(runner);
    await migration.up(runner);
  } finally {
    await runner.release();
  }
  const indexes = await shop.rows<{ Key_name: string; Non_unique: number; Column_name: string }>(
    "SHOW INDEX FROM order_submission WHERE Key_name LIKE '%idempotency%'",
  );
  expect(indexes.map(({ Key_name, Non_unique, Column_name }) => [Key_name, Number(Non_unique), Column_name])).toEqual(
    ['idem_scope', 'idem_key', 'user_id'].map((column) => ['user_idempotency', 0, column]),
  );
  expect((await shop.orders.submit({ ...body, waitResult: false }, under(key))).orderID).toBe(first.orderID);
});

it('a key belongs to one rpc: another may have the same', async () => {
  const body = wish();
  const key = randomUUID();
  const one = await shop.orders.submit({ ...body, waitResult: false }, under(key));
  const two = await shop.orders.sendSubmitOrderNotify(body, under(key));
  expect(two.orderID).not.toBe(one.orderID);
});

it('a repeat that waits for the result is answered with it', async () => {
  const body = wish();
  const key = randomUUID();
  const first = await shop.orders.submit({ ...body, waitResult: false }, under(key));
  expect(first.state).toBe('pending');
  const second = await shop.orders.submit({ ...body, waitResult: true }, under(key));
  expect(second).toEqual({ orderID: first.orderID, state: 'placed', reason: '' });
});
