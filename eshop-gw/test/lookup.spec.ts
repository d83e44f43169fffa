import { requestContext } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import type { Order } from '@eshop/proto/order';
import type { Pay } from '@eshop/proto/pay';
import { answers, startBackends } from './backends.js';
import { type Started, startGateway } from './service.js';

const ORDER_ID = '20260102030405678901234567';
const TIME = '2026-01-02T03:04:05.678Z';
const submit = { userID: 1, productID: 2, productCount: 3, amount: 400, couponID: 5, waitResult: true };

const order: Order = {
  id: 7,
  createdAt: TIME,
  updatedAt: TIME,
  orderID: ORDER_ID,
  userID: 1,
  productID: 2,
  productCount: 3,
  amount: 400,
  couponID: 0,
  status: 1,
  price: 0,
  couponAmount: 0,
  saleID: 0,
};
const pay: Pay = { id: 9, createdAt: TIME, updatedAt: TIME, userID: 1, orderID: ORDER_ID, amount: 400, status: 1 };

const placed = { order, state: 'placed', reason: '', transaction: 'succeed' };
const notFound = (): never => {
  throw new ContractError('ORDER_NOT_FOUND');
};
const noPay = (): never => {
  throw new ContractError('PAY_NOT_FOUND', 'no payment');
};

describe('the gateway', () => {
  let backends: Awaited<ReturnType<typeof startBackends>>;
  let gateway: Started;
  beforeAll(async () => {
    backends = await startBackends();
    gateway = await startGateway({ addresses: backends.addresses });
  });
  afterAll(async () => {
    await gateway.service.close();
    await backends.close();
  });
  afterEach(() => {
    for (const key of Object.keys(answers) as (keyof typeof answers)[]) delete answers[key];
  });

  describe('asked for an order', () => {
    const lookUp = () => gateway.call('GET', `/api/v1/order/${ORDER_ID}`);

    it('puts together the order and its payment', async () => {
      answers.order = () => placed;
      answers.pay = () => ({ pay });
      expect(await lookUp()).toMatchObject({
        status: 200,
        code: 0,
        data: { orderID: ORDER_ID, state: 'placed', reason: '', transaction: 'succeed', order, pay },
      });
    });

    it('leaves out what is not there yet', async () => {
      answers.order = () => ({ order: undefined, state: 'pending', reason: '', transaction: 'submitted' });
      answers.pay = noPay;
      const { status, data } = await lookUp();
      expect([status, data]).toEqual([
        200,
        { orderID: ORDER_ID, state: 'pending', reason: '', transaction: 'submitted' },
      ]);
    });

    it.each([
      'STOCK_INSUFFICIENT: fewer than 3 units of product 7 are in stock',
      'COUPON_EXPIRED: coupon 5 has expired',
      'COUPON_NOT_FOUND: coupon 5 does not exist, else where it was entered',
      'PRODUCT_NOT_FOUND: product 9007199254740991 does not exist',
      '',
    ])('says why it was cancelled: "%s"', async (reason) => {
      answers.order = () => ({ order, state: 'cancelled', reason, transaction: 'failed' });
      answers.pay = noPay;
      expect((await lookUp()).data).toMatchObject({ state: 'cancelled', reason, order });
    });

    it.each([
      'url:127.0.0.1:30382/api.stock.v1.stock/StockDeduct return failed: no',
      'connect ECONNREFUSED ::1',
      'rpc error: code = Aborted',
    ])('does not show a client the inside of the shop: %s', async (reason) => {
      answers.order = () => ({ order, state: 'cancelled', reason, transaction: 'failed' });
      answers.pay = noPay;
      answers.submit = () => ({ orderID: ORDER_ID, state: 'cancelled', reason });
      const submitted = await gateway.call('POST', '/api/v1/order/submit', submit);
      for (const { status, data } of [await lookUp(), submitted]) {
        expect([status, data.state, data.reason]).toEqual([200, 'cancelled', 'the order could not be carried out']);
      }
    });

    it('of a flash sale knows it before the queue has brought it to the order service', async () => {
      answers.order = notFound;
      answers.pay = noPay;
      answers.flashOrder = ({ orderID }) => ({ orderID, state: 'queued', userID: 1, productID: 2, saleID: 3 });
      const { status, data } = await lookUp();
      expect([status, data]).toEqual([200, { orderID: ORDER_ID, state: 'queued', reason: '', transaction: '' }]);
    });

    it('of a flash sale does not lose it on its way: it asks the order service again', async () => {
      let asked = 0;
      answers.order = () => {
        if (++asked === 1) return notFound();
        return { order, state: 'cancelled', reason: 'fewer than 3 units', transaction: 'failed' };
      };
      answers.pay = noPay;
      answers.flashOrder = notFound;
      expect(await lookUp()).toMatchObject({ status: 200, data: { state: 'cancelled', order } });
    });

    it('does not call an order placed without its payment, which came a moment later', async () => {
      let asked = 0;
      answers.order = () => placed;
      answers.pay = () => (++asked === 1 ? noPay() : { pay });
      expect(await lookUp()).toMatchObject({ status: 200, data: { state: 'placed', order, pay } });
    });

    it('does not know an id that was never given out', async () => {
      answers.order = notFound;
      answers.pay = noPay;
      answers.flashOrder = notFound;
      expect(await lookUp()).toMatchObject({ status: 404, code: 40404, data: {} });
    });

    it('does not take an order for unknown because the flash sales cannot be asked', async () => {
      answers.order = notFound;
      answers.pay = noPay;
      answers.flashOrder = () => {
        throw new ContractError('UNAVAILABLE');
      };
      expect(await lookUp()).toMatchObject({ status: 503, code: 50300, data: {} });
    });

    it('does not pass an order off as unpaid because payments cannot be asked for', async () => {
      answers.order = () => placed;
      answers.pay = () => {
        throw new ContractError('UNAVAILABLE');
      };
      expect(await lookUp()).toMatchObject({ status: 503, code: 50300, data: {} });
    });
  });

  describe('passes on', () => {
    it('a submit as it came, and the answer', async () => {
      const seen: unknown[] = [];
      answers.submit = (request) => {
        seen.push(request);
        return { orderID: ORDER_ID, state: 'placed', reason: '' };
      };
      expect(await gateway.call('POST', '/api/v1/order/submit', submit)).toMatchObject({
        status: 200,
        data: { orderID: ORDER_ID, state: 'placed', reason: '' },
      });
      expect(seen).toEqual([submit]);
    });

    it('the request id', async () => {
      const seen: unknown[] = [];
      answers.submit = () => {
        seen.push(requestContext()?.requestID);
        return { orderID: ORDER_ID, state: 'pending', reason: '' };
      };
      await gateway.call('POST', '/api/v1/order/submit', submit, { 'x-request-id': 'from-the-client' });
      expect(seen).toEqual(['from-the-client']);
    });

    it('the Idempotency-Key', async () => {
      const seen: unknown[] = [];
      answers.submit = () => {
        seen.push(requestContext()?.idempotencyKey);
        return { orderID: ORDER_ID, state: 'pending', reason: '' };
      };
      await gateway.call('POST', '/api/v1/order/submit', submit, { 'idempotency-key': 'the client' });
      await gateway.call('POST', '/api/v1/order/submit', submit);
      expect(seen).toEqual(['the client', undefined]);
      const key = 'x'.repeat(129);
      const refused = await gateway.call('POST', '/api/v1/order/submit', submit, { 'idempotency-key': key });
      expect(refused).toMatchObject({ status: 400, code: 40000 });
      expect(seen).toHaveLength(2);
    });

    it('the page of a list, which may be empty and is not absent', async () => {
      const seen: unknown[] = [];
      answers.list = (request) => {
        seen.push(request.params);
        return { total: 40, orders: [] };
      };
      expect(await gateway.call('GET', '/api/v1/order/list?page=2&limit=20')).toMatchObject({
        status: 200,
        data: { total: 40, orders: [] },
      });
      expect(seen).toEqual([{ page: 2, limit: 20, sort: '', columns: [] }]);
    });

    it.each([
      ['COUPON_NOT_OWNED', 403, 40301],
      ['STOCK_INSUFFICIENT', 409, 40902],
      ['TOO_MANY_REQUESTS', 429, 42900],
    ] as const)('the refusal %s', async (code, status, number) => {
      answers.submit = () => {
        throw new ContractError(code, 'as the service put it');
      };
      expect(await gateway.call('POST', '/api/v1/order/submit', submit)).toMatchObject({
        status,
        code: number,
        msg: 'as the service put it',
        data: {},
      });
    });

    it('the fields that a service refuses', async () => {
      const violations = [{ field: 'params.sort', rule: 'column', description: 'is not a column' }];
      answers.list = () => {
        throw new ContractError('INVALID_PARAMETER', undefined, { violations });
      };
      expect(await gateway.call('GET', '/api/v1/order/list?limit=1')).toMatchObject({ status: 400, violations });
    });

    it('that a service failed, and nothing of what it failed over', async () => {
      answers.submit = () => {
        throw new Error('SELECT * FROM secrets');
      };
      const answer = await gateway.call('POST', '/api/v1/order/submit', submit);
      expect(answer).toMatchObject({ status: 500, code: 50000, data: {} });
      expect(JSON.stringify(answer)).not.toContain('secrets');
    });
  });

  it('tries what changes nothing again, and a submit never', async () => {
    let asked = 0;
    answers.list = () => {
      if (++asked < 3) throw new ContractError('UNAVAILABLE');
      return { total: 0, orders: [] };
    };
    expect(await gateway.call('GET', '/api/v1/order/list?limit=1')).toMatchObject({ status: 200 });
    expect(asked).toBe(3);
    let submitted = 0;
    answers.submit = () => {
      submitted++;
      throw new ContractError('UNAVAILABLE');
    };
    expect(await gateway.call('POST', '/api/v1/order/submit', submit)).toMatchObject({ status: 503 });
    expect(submitted).toBe(1);
  });
});
