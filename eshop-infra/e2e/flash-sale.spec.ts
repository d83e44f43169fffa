import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { HttpClient } from '../src/load/http-client.ts';
import { expectBooksToHold } from './support/audit.ts';
import { call, expectOk } from './support/http.ts';
import { booksOf, buy, counterOf, newSale, refusals, setSale } from './support/sale.ts';
import { finalState, lookUp, newUserID, submit, unitsOf } from './support/shop.ts';
import { gateway, mysqlRootUrl, port, service } from './support/system.ts';
import { eventually } from './support/wait.ts';

const HOUR = 3_600_000;
const fromNow = (ms: number) => new Date(Date.now() + ms).toISOString();

/** Waits until the counter of a sale says this. */
const untilLeft = (productID: number, left: number) =>
  eventually(async () => (await counterOf(productID)).left === left || undefined, `${left} units to be left`);

describe('a flash sale', () => {
  afterAll(expectBooksToHold);

  it('sells a unit: the order id is known at once, and the order is placed', async () => {
    const productID = await newSale({ stock: 3 }, 250);
    const userID = newUserID();
    const { orderID } = await expectOk(buy(productID, { userID }));
    expect(orderID).toMatch(/^\d{26}$/);
    expect((await expectOk(lookUp(orderID))).state).toMatch(/queued|pending|placed/);
    expect(await finalState(orderID)).toMatchObject({
      state: 'placed',
      order: { orderID, userID, productID, productCount: 1, amount: 250, couponID: 0, status: 1 },
      pay: { orderID, userID, amount: 250, status: 1 },
    });
    expect(await unitsOf(productID)).toBe(2);
    expect(await counterOf(productID)).toMatchObject({ state: 'running', left: 2, reserved: 1 });
    expect(await booksOf(productID)).toMatchObject({ stock: 2, allotted: 2, flashSale: { units: 3 } });
  });

  it('5000 requests at once for 100 units: exactly 100 orders', async () => {
    const productID = await newSale({ stock: 100 });
    const client = new HttpClient(gateway(), 1000);
    const body = (userID: number) => JSON.stringify({ userID, productID, amount: 1 });
    try {
      const buyers = Array.from({ length: 5000 }, (_, number) => number + 1);
      const answers = await Promise.all(buyers.map((userID) => client.post('/api/v1/flashSale', body(userID))));
      const accepted = answers.filter(({ status }) => status === 200);
      const codes = new Set(
        answers.filter(({ status }) => status !== 200).map(({ status, code }) => `${status} ${code}`),
      );
      expect([accepted.length, [...codes]]).toEqual([100, [`409 ${refusals.soldOut}`]]);
      const ids = new Set(accepted.map(({ data }) => String(data.orderID)));
      expect(ids.size).toBe(100);
      for (const orderID of ids) expect((await finalState(orderID)).state).toBe('placed');
    } finally {
      client.close();
    }
    expect(await unitsOf(productID)).toBe(0);
    expect(await counterOf(productID)).toMatchObject({ left: 0, reserved: 100 });
  }, 180_000);

  it('and ordinary orders do not take from each other', async () => {
    const productID = await newSale({ stock: 5, allotted: 2 });
    expect(await expectOk(submit({ productID, productCount: 4, waitResult: true }))).toMatchObject({
      state: 'cancelled',
    });
    expect(await expectOk(submit({ productID, productCount: 3, waitResult: true }))).toMatchObject({ state: 'placed' });
    for (let unit = 0; unit < 2; unit++) {
      const { orderID } = await expectOk(buy(productID));
      expect((await finalState(orderID)).state).toBe('placed');
    }
    expect(await buy(productID)).toMatchObject({ status: 409, code: refusals.soldOut, data: {} });
    expect(await unitsOf(productID)).toBe(0);
  });

  it('gives a user no more than the limit, however many requests come at once', async () => {
    const productID = await newSale({ stock: 50, limitPerUser: 2 });
    const userID = newUserID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => buy(productID, { userID })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    for (const { status, code } of answers) {
      if (status !== 200) expect([status, code]).toEqual([409, refusals.limitReached]);
    }
    await expectOk(buy(productID));
  });

  it.each([
    ['has not opened', { opensAt: fromNow(HOUR) }],
    ['has closed', { opensAt: fromNow(-2 * HOUR), closesAt: fromNow(-HOUR) }],
    ['has ended', undefined],
  ])('that %s sells nothing', async (_, window) => {
    const productID = await newSale({ stock: 2, ...window });
    if (!window) await expectOk(setSale(productID, { stock: 2, allotted: 0 }));
    expect(await buy(productID)).toMatchObject({ status: 409, code: refusals.notOpen, data: {} });
    expect(await unitsOf(productID)).toBe(2);
  });

  it.each([[-1], [1.5], [2 ** 32], ['many']])('cannot have %p units', async (stock) => {
    const productID = await newSale({ stock: 1 });
    expect(await setSale(productID, { stock: stock as number })).toMatchObject({ status: 400, data: {} });
    expect(await setSale(productID, { stock: 1, allotted: 2 })).toMatchObject({ status: 400, data: {} });
    expect(await counterOf(productID)).toMatchObject({ left: 1 });
  });

  it('of a product without stock is refused', async () => {
    expect(await setSale(9_007_199_254_740_991, { stock: 5 })).toMatchObject({ status: 404, data: {} });
  });

  it('set again to the same changes nothing; set to more or less, moves the difference; ended, gives back what is left', async () => {
    const productID = await newSale({ stock: 10, allotted: 4 });
    await expectOk(setSale(productID, { stock: 10, allotted: 4 }));
    expect(await booksOf(productID)).toMatchObject({ stock: 10, allotted: 4, flashSale: { units: 4 } });
    await expectOk(setSale(productID, { stock: 12, allotted: 7 }));
    expect(await counterOf(productID)).toMatchObject({ left: 7 });
    await expectOk(setSale(productID, { stock: 12, allotted: 1 }));
    expect(await counterOf(productID)).toMatchObject({ left: 1 });
    expect(await booksOf(productID)).toMatchObject({ stock: 12, allotted: 1, flashSale: { units: 1 } });
    await expectOk(setSale(productID, { stock: 12, allotted: 0 }));
    expect(await expectOk(submit({ productID, productCount: 12, waitResult: true }))).toMatchObject({
      state: 'placed',
    });
  });
});

describe('an order of a flash sale that comes to nothing', () => {
  afterAll(expectBooksToHold);

  it('returns its unit once when its saga rolls back', async () => {
    const productID = await newSale({ stock: 2 });
    const connection = await mysql.createConnection(mysqlRootUrl());
    const shift = (by: number) =>
      connection.query('UPDATE eshop_stock.stock SET sale_id = sale_id + ? WHERE product_id = ?', [by, productID]);
    try {
      // while its stock belongs to another sale, it refuses the order
      await shift(1);
      const { orderID } = await expectOk(buy(productID));
      expect(await finalState(orderID)).toMatchObject({ state: 'cancelled', transaction: 'failed' });
    } finally {
      await shift(-1);
      await connection.end();
    }
    await untilLeft(productID, 2);
    expect(await counterOf(productID)).toMatchObject({ left: 2, reserved: 0 });
    const answers = [await buy(productID), await buy(productID), await buy(productID)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 409]);
    for (const { data } of answers.slice(0, 2)) expect((await finalState(data.orderID)).state).toBe('placed');
  });

  it('returns its unit once when there is no such product', async () => {
    const productID = newUserID();
    await expectOk(call('POST', `${gateway()}/api/v1/stock`, { productID, stock: 1 }));
    await expectOk(setSale(productID, { stock: 1 }));
    for (let attempt = 0; attempt < 2; attempt++) {
      const { orderID } = await expectOk(buy(productID));
      expect(await finalState(orderID)).toMatchObject({
        state: 'cancelled',
        reason: expect.stringMatching(/^PRODUCT_NOT_FOUND: /),
      });
      await untilLeft(productID, 1);
    }
    expect(await counterOf(productID)).toMatchObject({ left: 1, reserved: 0 });
  });
});

describe('a flash sale whose counter Redis has lost', () => {
  afterAll(expectBooksToHold);

  it('is closed, cannot be changed, and is open again once it is rebuilt from the books', async () => {
    const productID = await newSale({ stock: 5, limitPerUser: 1 });
    const userID = newUserID();
    const { orderID } = await expectOk(buy(productID, { userID }));
    expect((await finalState(orderID)).state).toBe('placed');
    const redis = new Redis(port('redis'), '127.0.0.1');
    try {
      await redis.del(...['sale', 'units', 'users'].map((name) => `flash:{${productID}}:${name}`));
    } finally {
      redis.disconnect();
    }
    expect(await buy(productID)).toMatchObject({ status: 409, code: refusals.notOpen, data: {} });
    expect(await setSale(productID, { stock: 9 })).toMatchObject({ status: 409, code: refusals.lost, data: {} });
    await expectBooksToHold();
    const url = `${service('flashsale')}/api/v1/flashSale/sale/${productID}/rebuild`;
    expect(await expectOk(call('POST', url, {}))).toMatchObject({ left: 4 });
    expect(await buy(productID, { userID })).toMatchObject({ status: 409, code: refusals.limitReached });
    const answers = await Promise.all(Array.from({ length: 10 }, () => buy(productID)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
  });
});
