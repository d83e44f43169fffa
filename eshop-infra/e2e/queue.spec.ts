import { Kafka, logLevel } from 'kafkajs';
import { DeadLetters } from '../src/dead-letters/dead-letters.ts';
import { orderTopic } from '../src/kafka/topics.ts';
import { expectBooksToHold } from './support/audit.ts';
import { type Answer, call, expectOk } from './support/http.ts';
import { buy, counterOf, newSale } from './support/sale.ts';
import { finalState, lookUp, newProduct, newUserID, submit, submitQueued, unitsOf } from './support/shop.ts';
import { gateway, port } from './support/system.ts';
import { eventually } from './support/wait.ts';

const kafka = () => new Kafka({ brokers: [`127.0.0.1:${port('kafka')}`], logLevel: logLevel.NOTHING });

/** Writes records into the topic of the orders, as whoever can reach Kafka might. */
async function write(...records: { key: string; value: string }[]): Promise<void> {
  const producer = kafka().producer({ idempotent: true, allowAutoTopicCreation: false });
  try {
    await producer.connect();
    await producer.send({ topic: orderTopic, messages: records });
  } finally {
    await producer.disconnect();
  }
}

/** An order id that nobody else has. */
const newOrderID = () => `2026010100000000${String(newUserID()).padStart(13, '0').slice(-10)}`;

describe('a queued order', () => {
  afterAll(expectBooksToHold);

  it('is answered with its id, known at once, and placed when the queue comes to it', async () => {
    const productID = await newProduct({ price: 250, stock: 10 });
    const userID = newUserID();
    const { orderID } = await expectOk(submitQueued({ userID, productID, productCount: 3 }));
    expect(orderID).toMatch(/^\d{26}$/);
    expect((await expectOk(lookUp(orderID))).state).toMatch(/queued|pending|placed/);
    expect(await finalState(orderID)).toMatchObject({
      state: 'placed',
      transaction: 'succeed',
      order: { orderID, userID, productID, productCount: 3, amount: 750, status: 1 },
      pay: { orderID, userID, amount: 750 },
    });
    expect(await unitsOf(productID)).toBe(7);
  });

  it('200 at once for 50 units: exactly 50 are placed', async () => {
    const productID = await newProduct({ stock: 50 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => submitQueued({ productID })));
    expect(answers.map(({ status }) => status)).toEqual(Array(200).fill(200));
    const states = await Promise.all(answers.map(async ({ data }) => (await finalState(data.orderID)).state));
    expect(states.filter((state) => state === 'placed')).toHaveLength(50);
    expect(await unitsOf(productID)).toBe(0);
  });

  it('for a product that does not exist is cancelled, with the reason', async () => {
    const answer = await submitQueued({ productID: 9_007_199_254_740_991 });
    // whether there is such a product is found out when the queue comes to it
    const { orderID } = await expectOk(Promise.resolve(answer));
    expect(await finalState(orderID)).toMatchObject({
      state: 'cancelled',
      reason: expect.stringMatching(/^PRODUCT_NOT_FOUND: /),
    });
  });

  it.each([
    ['userID', 0],
    ['productID', -1],
    ['productCount', '1'],
    ['amount', 0],
  ])('with %s %p is refused by that field', async (field, value) => {
    const good = { userID: 1, productID: 1, productCount: 1, amount: 1, couponID: 0 };
    const answer = await call('POST', `${gateway()}/api/v1/order/sendSubmitNotify`, { ...good, [field]: value });
    expect(answer).toMatchObject({ status: 400, data: {} });
    expect(answer.violations?.map((violation) => violation.field)).toEqual([field]);
  });
});

describe('an idempotency key', () => {
  type Send = (userID: number, productID: number, key: string) => Promise<Answer<{ orderID: string }>>;
  const ways: [string, Send, () => Promise<number>][] = [
    [
      'submit',
      (userID, productID, key) => submit({ userID, productID }, { 'idempotency-key': key }),
      () => newProduct({ stock: 60 }),
    ],
    [
      'queued submit',
      (userID, productID, key) => submitQueued({ userID, productID }, { 'idempotency-key': key }),
      () => newProduct({ stock: 60 }),
    ],
    [
      'flash sale',
      (userID, productID, key) => buy(productID, { userID, headers: { 'idempotency-key': key } }),
      () => newSale({ stock: 60 }),
    ],
  ];
  afterAll(expectBooksToHold);

  it.each(ways)('of a %s: 50 repeats at once are one order', async (_, send, goods) => {
    const [productID, userID, key] = [await goods(), newUserID(), crypto.randomUUID()];
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(userID, productID, key)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    const ids = new Set(answers.map(({ data }) => data.orderID));
    expect(ids.size).toBe(1);
    for (const orderID of ids) expect((await finalState(orderID)).state).toBe('placed');
    expect(await unitsOf(productID)).toBe(59);
    const later = await send(userID, productID, key);
    expect(later).toMatchObject({ status: 200, data: { orderID: answers[0]?.data.orderID } });
    expect(await unitsOf(productID)).toBe(59);
  });

  it.each(ways)(
    "of a %s is refused for another body, and when it is none; another user's is his own",
    async (_, send, goods) => {
      const [productID, other, userID, key] = [await goods(), await goods(), newUserID(), crypto.randomUUID()];
      const { orderID } = await expectOk(send(userID, productID, key));
      expect(await send(userID, other, key)).toMatchObject({ status: 422, code: 42_200, data: {} });
      expect((await expectOk(send(userID + 1, other, key))).orderID).not.toBe(orderID);
      expect(await send(userID, productID, 'x'.repeat(129))).toMatchObject({ status: 400, data: {} });
    },
  );
});

describe('a record in the topic that cannot become an order', () => {
  afterAll(expectBooksToHold);

  const letters = () => new DeadLetters(kafka(), orderTopic);
  const lettersOf = (key: string) =>
    eventually(async () => {
      const found = (await letters().list({ all: true })).filter((letter) => letter.key === key);
      return found.length > 0 ? found : undefined;
    }, `a dead letter ${key}`);

  const five = { userID: 1, productID: 1, productCount: 1, amount: 1, couponID: 0 };
  it.each([
    ['is not JSON', () => '{"userID":'],
    ['is not an object', () => '17'],
    ['has no order id, as the reference writes it', () => JSON.stringify(five)],
    ['misses a field', (orderID: string) => JSON.stringify({ userID: 1, productID: 1, orderID })],
    ['breaks a rule', (orderID: string) => JSON.stringify({ ...five, productCount: 0, orderID })],
  ])('because it %s becomes a dead letter with its cause, and does not stop the queue', async (_, value) => {
    const key = newOrderID();
    await write({ key, value: value(key) });
    const [letter] = await lettersOf(key);
    expect(letter?.value).toBe(value(key));
    expect(letter?.code).toBeTruthy();
    expect(letter?.cause).toBeTruthy();
    expect(letter?.from).toMatch(/^flash-sale-order\/\d+\/\d+$/);
    const productID = await newProduct();
    const { orderID } = await expectOk(submitQueued({ productID }));
    expect((await finalState(orderID)).state).toBe('placed');
  });

  it('because its order id is another order becomes one, too; the same record again is the same order', async () => {
    const productID = await newProduct({ stock: 10 });
    const orderID = newOrderID();
    const record = (productCount: number) => ({
      key: orderID,
      value: JSON.stringify({ ...five, productID, productCount, orderID, saleID: 0 }),
    });
    await write(record(2), record(2), record(3));
    expect((await lettersOf(orderID)).map(({ value }) => value)).toEqual([record(3).value]);
    expect((await finalState(orderID)).state).toBe('placed');
    expect(await unitsOf(productID)).toBe(8);
  });

  it('can be replayed: it is carried out, or lies there once more', async () => {
    const key = newOrderID();
    await write({ key, value: 'still no JSON' });
    const [first] = await lettersOf(key);
    await letters().replay([first?.offset ?? '']);
    const found = await eventually(async () => {
      const now = await lettersOf(key);
      return now.length === 2 ? now : undefined;
    }, 'it to come back');
    expect(found[1]?.headers['replayed-from']).toBe(`flash-sale-order.dead-letter/0/${first?.offset}`);
  });
});

it('orders of a sale and queued ones share the topic and do not lose each other', async () => {
  const [sale, product] = [await newSale({ stock: 40 }), await newProduct({ stock: 40 })];
  const answers = await Promise.all(
    Array.from({ length: 80 }, (_, number) => (number % 2 ? buy(sale) : submitQueued({ productID: product }))),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(80).fill(200));
  for (const { data } of answers) expect((await finalState(data.orderID)).state).toBe('placed');
  expect([await unitsOf(sale), await unitsOf(product)]).toEqual([0, 0]);
  expect(await counterOf(sale)).toMatchObject({ left: 0, reserved: 40 });
  await expectBooksToHold();
});
