import { randomInt } from 'node:crypto';
import { eventually } from '@eshop/nest-service/testing';
import { ContractError } from '@eshop/proto';
import type { Coupon, GetCouponByIDReply } from '@eshop/proto/coupon';
import type { SubmitOrderRequest } from '@eshop/proto/order';
import { NO_PRODUCT, PRICE, type Started, startOrder } from './service.js';

const submission = (fields: Partial<SubmitOrderRequest> = {}): SubmitOrderRequest => ({
  userID: randomInt(1, 2 ** 40),
  productID: randomInt(1000, 2 ** 40),
  productCount: 2,
  amount: 1,
  couponID: 0,
  waitResult: true,
  ...fields,
});

const CREATE = { orderBranch: '01', stock: '02', third: '03', last: '04' };

describe('a submit', () => {
  let shop: Started;
  beforeAll(async () => {
    shop = await startOrder();
  });
  afterAll(() => shop.close());

  const coupon = (fields: Partial<Coupon>): GetCouponByIDReply => ({
    coupon: {
      id: 1,
      userID: 1,
      amount: 100,
      status: 1,
      orderID: '',
      createdAt: '',
      updatedAt: '',
      version: 1,
      ...fields,
    },
  });

  it('runs the branches order, stock and pay, with the amount that the server computes', async () => {
    const request = submission();
    const { orderID, state } = await shop.orders.submit(request);
    expect(state).toBe('placed');
    expect(shop.peers.branchesOf(orderID)).toEqual([`${CREATE.stock} stock.stockDeduct`, `${CREATE.third} pay.create`]);
    const { userID, productID, productCount } = request;
    expect(shop.peers.requestOf(orderID, 'stock.stockDeduct')).toEqual({ productID, productCount, saleID: 0 });
    expect(shop.peers.requestOf(orderID, 'pay.create')).toEqual({ userID, orderID, amount: 2 * PRICE });
    const { order, transaction } = await shop.orders.getByOrderID({ orderID });
    expect(order).toMatchObject({
      orderID,
      userID,
      productID,
      productCount,
      amount: 2 * PRICE,
      price: PRICE,
      status: 1,
    });
    expect(transaction).toBe('succeed');
  });

  it('uses the coupon third, at its value', async () => {
    const request = submission({ couponID: 7 });
    shop.peers.on('coupon.getByID', () => coupon({ userID: request.userID }));
    const { orderID, state } = await shop.orders.submit(request);
    expect(state).toBe('placed');
    expect(shop.peers.branchesOf(orderID)).toEqual([
      `${CREATE.stock} stock.stockDeduct`,
      `${CREATE.third} coupon.couponUse`,
      `${CREATE.last} pay.create`,
    ]);
    expect(shop.peers.requestOf(orderID, 'coupon.couponUse')).toEqual({
      couponID: 7,
      userID: request.userID,
      amount: 100,
    });
    expect(shop.peers.requestOf(orderID, 'pay.create')).toMatchObject({ amount: 2 * PRICE - 100 });
  });

  it.each([
    ['COUPON_NOT_OWNED', { userID: 2 }],
    ['COUPON_ALREADY_USED', { status: 2 }],
    ['COUPON_EXPIRED', { status: 3 }],
    ['COUPON_VALUE_TOO_HIGH', { amount: 2 * PRICE }],
  ])('is refused with %s before anything is recorded', async (code, fields) => {
    shop.peers.on('coupon.getByID', () => coupon(fields));
    await expect(shop.orders.submit(submission({ userID: 1, couponID: 7 }))).rejects.toMatchObject({ code });
    expect(await shop.rows('SELECT * FROM order_submission WHERE user_id = 1')).toEqual([]);
  });

  it('for an unknown product passes the refusal on', async () => {
    const submit = shop.orders.submit(submission({ productID: NO_PRODUCT }));
    await expect(submit).rejects.toMatchObject({ httpStatus: 404 });
  });

  it('asks for prices together while one look-up is under way, and for an unknown product refuses only its own', async () => {
    let calls = 0;
    const answer = shop.peers.answerOf('product.list');
    shop.peers.on('product.list', async (request) => {
      calls++;
      await new Promise(setImmediate);
      return answer(request);
    });
    const known = Array.from({ length: 40 }, () => submission({ waitResult: false }));
    const unknown = submission({ productID: NO_PRODUCT });
    const replies = await Promise.allSettled([...known, unknown].map((request) => shop.orders.submit(request)));
    shop.peers.on('product.list', answer);
    expect(replies.map(({ status }) => status)).toEqual([...known.map(() => 'fulfilled'), 'rejected']);
    expect(calls).toBeLessThan(20);
  });

  it('over more than an amount can hold is refused', async () => {
    const submit = shop.orders.submit(submission({ productCount: 0xffff_ffff }));
    await expect(submit).rejects.toMatchObject({ code: 'AMOUNT_TOO_LARGE' });
  });

  it('for an unknown coupon passes the refusal on', async () => {
    shop.peers.on('coupon.getByID', () => {
      throw new ContractError('COUPON_NOT_FOUND', 'no such coupon');
    });
    await expect(shop.orders.submit(submission({ couponID: 8 }))).rejects.toMatchObject({ httpStatus: 404 });
  });

  it('that a branch refuses is cancelled, with the reason, and what was done is undone', async () => {
    const request = submission();
    shop.peers.on('stock.stockDeduct', ({ productID }) => {
      if (productID === request.productID) throw new ContractError('STOCK_INSUFFICIENT', 'sold out, all of them');
      return {};
    });
    const { orderID, state, reason } = await shop.orders.submit(request);
    expect({ state, reason }).toEqual({ state: 'cancelled', reason: expect.stringContaining('sold out, all of them') });
    expect(shop.peers.branchesOf(orderID)).not.toContain(`${CREATE.third} pay.create`);
    const found = await shop.orders.getByOrderID({ orderID });
    expect(found).toMatchObject({ state: 'cancelled', transaction: 'failed', order: { status: 5 } });
  });

  it('that need not wait is answered as pending, and ends all the same', async () => {
    const { orderID, state } = await shop.orders.submit(submission({ waitResult: false }));
    expect(state).toBe('pending');
    await eventually(async () => {
      const found = await shop.orders.getByOrderID({ orderID });
      return found.state === 'placed' ? found : undefined;
    }, 'the order to be placed');
  });

  it('an id that was never given out is not found', async () => {
    await expect(shop.orders.getByOrderID({ orderID: '20200101000000000000000000' })).rejects.toMatchObject({
      code: 'ORDER_NOT_FOUND',
    });
  });

  it.each(['/create', '/createRevert'])(
    'cannot be faked: %s without a signature is refused and changes nothing',
    async (path) => {
      const orderID = `forged-${randomInt(1e9)}-0123456789`;
      const body = {
        orderID,
        userID: 1,
        productID: 1,
        amount: 1,
        productCount: 1,
        couponID: 0,
        price: 1,
        couponAmount: 0,
        saleID: 0,
      };
      const response = await fetch(
        `${shop.service.http}/api/v1/order${path}?gid=${orderID}&trans_type=saga&branch_id=01&op=action`,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
      );
      expect(response.status).toBe(401);
      await expect(shop.orders.create(body)).rejects.toMatchObject({ grpcStatus: 16 });
      expect(await shop.rows('SELECT * FROM order_record WHERE order_id = ?', [orderID])).toEqual([]);
    },
  );
});

describe('the setting order.amount', () => {
  it('verify refuses an amount that is not the computed one', async () => {
    const shop = await startOrder({ order: { amount: 'verify' } });
    try {
      await expect(shop.orders.submit(submission({ amount: 2 * PRICE + 1 }))).rejects.toMatchObject({
        code: 'AMOUNT_MISMATCH',
      });
      expect((await shop.orders.submit(submission({ amount: 2 * PRICE }))).state).toBe('placed');
    } finally {
      await shop.close();
    }
  });

  it('trust takes the amount as given and says so in the row', async () => {
    const shop = await startOrder({ order: { amount: 'trust' } });
    try {
      const { orderID } = await shop.orders.submit(submission({ amount: 88 }));
      expect(await shop.rows('SELECT amount, price FROM order_record WHERE order_id = ?', [orderID])).toMatchObject([
        { amount: 88, price: null },
      ]);
    } finally {
      await shop.close();
    }
  });
});
