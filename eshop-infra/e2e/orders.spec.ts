import { expectBooksToHold } from './support/audit.ts';
import { call, expectOk } from './support/http.ts';
import { couponOf, finalState, lookUp, newCoupon, newProduct, newUserID, submit, unitsOf } from './support/shop.ts';
import { gateway } from './support/system.ts';
import { eventually } from './support/wait.ts';

const UNUSED = 1;
const USED = 2;
const CANCELLED = 5;

/** Sends an order again while the answer is that too many are ordering, as on a slow machine: nothing was accepted then. */
const submitUntilTaken = (order: Parameters<typeof submit>[0]): ReturnType<typeof submit> =>
  eventually(async () => {
    const answer = await submit(order);
    return answer.status === 429 ? undefined : answer;
  }, 'an order to be taken');

describe('an order through the gateway', () => {
  afterAll(expectBooksToHold);

  it('is accepted with its id and then placed: order, stock and payment in effect', async () => {
    const productID = await newProduct({ price: 250, stock: 10 });
    const userID = newUserID();
    const { orderID, state } = await expectOk(submit({ userID, productID, productCount: 3 }));
    expect(orderID).toMatch(/^\d{26}$/);
    expect(state).toBe('pending');

    const found = await finalState(orderID);
    expect(found).toMatchObject({
      state: 'placed',
      transaction: 'succeed',
      reason: '',
      order: { orderID, userID, productID, productCount: 3, amount: 750, price: 250, couponID: 0, status: 1 },
      pay: { orderID, userID, amount: 750, status: 1 },
    });
    expect(await unitsOf(productID)).toBe(7);
  });

  it('is answered with its outcome when asked to wait', async () => {
    const productID = await newProduct();
    const { state, orderID } = await expectOk(submit({ productID, waitResult: true }));
    expect(state).toBe('placed');
    expect(await expectOk(lookUp(orderID))).toMatchObject({ state: 'placed' });
  });

  it('that asks for more than there is rolls back and leaves nothing behind', async () => {
    const productID = await newProduct({ stock: 2 });
    const { state, reason, orderID } = await expectOk(submit({ productID, productCount: 3, waitResult: true }));
    expect(state).toBe('cancelled');
    expect(reason).toContain('in stock');
    const found = await finalState(orderID);
    expect(found).toMatchObject({ state: 'cancelled', transaction: 'failed', order: { status: CANCELLED } });
    expect(found.pay).toBeUndefined();
    expect(await unitsOf(productID)).toBe(2);
  });

  it('for a product without stock is cancelled', async () => {
    const product = { name: 'never stocked', price: 100, photo: '', description: '' };
    const { id } = await expectOk(call<{ id: number }>('POST', `${gateway()}/api/v1/product`, product));
    expect(await expectOk(submit({ productID: id, waitResult: true }))).toMatchObject({ state: 'cancelled' });
  });

  it('pays what the server computes, whatever amount the client names', async () => {
    const productID = await newProduct({ price: 1999 });
    const { orderID } = await expectOk(submit({ productID, productCount: 2, amount: 1, waitResult: true }));
    expect(await expectOk(lookUp(orderID))).toMatchObject({ order: { amount: 3998 }, pay: { amount: 3998 } });
  });

  it('200 at once for 50 units: exactly 50 are placed', async () => {
    const productID = await newProduct({ stock: 50 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => submitUntilTaken({ productID })));
    expect(answers.map(({ status }) => status)).toEqual(Array(200).fill(200));
    const states = await Promise.all(answers.map(async ({ data }) => (await finalState(data.orderID)).state));
    expect(states.filter((state) => state === 'placed')).toHaveLength(50);
    expect(states.filter((state) => state === 'cancelled')).toHaveLength(150);
    expect(await unitsOf(productID)).toBe(0);
  });
});

describe('an order with a coupon', () => {
  afterAll(expectBooksToHold);

  it('costs that much less and uses the coupon', async () => {
    const userID = newUserID();
    const [productID, couponID] = [await newProduct({ price: 500 }), await newCoupon(userID, 120)];
    const { orderID, state } = await expectOk(submit({ userID, productID, couponID, waitResult: true }));
    expect(state).toBe('placed');
    expect(await expectOk(lookUp(orderID))).toMatchObject({
      order: { amount: 380, couponID, couponAmount: 120 },
      pay: { amount: 380 },
    });
    expect(await couponOf(couponID)).toMatchObject({ status: USED, orderID });
  });

  it('frees the coupon when it rolls back', async () => {
    const userID = newUserID();
    const [productID, couponID] = [await newProduct({ stock: 0 }), await newCoupon(userID)];
    expect(await expectOk(submit({ userID, productID, couponID, waitResult: true }))).toMatchObject({
      state: 'cancelled',
    });
    expect(await couponOf(couponID)).toMatchObject({ status: UNUSED, orderID: '' });
  });

  it("is refused when the coupon is another user's, and changes nothing", async () => {
    const [productID, couponID] = [await newProduct(), await newCoupon(newUserID())];
    expect(await submit({ productID, couponID })).toMatchObject({ status: 403, msg: expect.any(String), data: {} });
    expect(await couponOf(couponID)).toMatchObject({ status: UNUSED });
    expect(await unitsOf(productID)).toBe(10);
  });

  it('is refused when the coupon was used before', async () => {
    const userID = newUserID();
    const [productID, couponID] = [await newProduct(), await newCoupon(userID)];
    await expectOk(submit({ userID, productID, couponID, waitResult: true }));
    expect(await submit({ userID, productID, couponID })).toMatchObject({ status: 409, data: {} });
    expect(await unitsOf(productID)).toBe(9);
  });

  it('is refused when the coupon does not exist', async () => {
    const productID = await newProduct();
    expect(await submit({ productID, couponID: 9_007_199_254_740_991 })).toMatchObject({ status: 404, data: {} });
  });

  it('is refused when the coupon is worth the whole order', async () => {
    const userID = newUserID();
    const [productID, couponID] = [await newProduct({ price: 100 }), await newCoupon(userID, 100)];
    expect(await submit({ userID, productID, couponID })).toMatchObject({ status: 409, data: {} });
  });

  it('20 at once with one coupon: one is placed', async () => {
    const userID = newUserID();
    const [productID, couponID] = [await newProduct({ stock: 100 }), await newCoupon(userID)];
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit({ userID, productID, couponID })));
    const accepted = answers.filter(({ status }) => status === 200);
    for (const { status } of answers) expect([200, 409]).toContain(status);
    const states = await Promise.all(accepted.map(async ({ data }) => (await finalState(data.orderID)).state));
    expect(states.filter((state) => state === 'placed')).toHaveLength(1);
    expect(await couponOf(couponID)).toMatchObject({ status: USED });
    expect(await unitsOf(productID)).toBe(99);
  });
});

describe('an order id', () => {
  it('that was never given out is not found', async () => {
    expect(await lookUp('20200101000000000000000000')).toMatchObject({ status: 404, data: {} });
  });

  it('is not given for a product that does not exist', async () => {
    expect(await submit({ productID: 9_007_199_254_740_991 })).toMatchObject({ status: 404, data: {} });
  });
});
