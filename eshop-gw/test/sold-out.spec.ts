import { ContractError } from '@eshop/proto';
import { answers, startBackends } from './backends.js';
import { type Started, startGateway } from './service.js';

const LONG_MS = 5_000;

describe('a flash sale that was sold out', () => {
  let backends: Awaited<ReturnType<typeof startBackends>>;
  let gateway: Started;
  let brief: Started;
  let products = 0;
  let asked: number;

  beforeAll(async () => {
    backends = await startBackends();
    gateway = await startGateway({ addresses: backends.addresses, soldOutMs: LONG_MS });
    brief = await startGateway({ addresses: backends.addresses, soldOutMs: 20 });
  });
  afterAll(async () => {
    await gateway.service.close();
    await brief.service.close();
    await backends.close();
  });
  beforeEach(() => {
    products++;
    asked = 0;
    answers.buy = () => {
      asked++;
      throw new ContractError('FLASH_SALE_SOLD_OUT');
    };
  });
  afterEach(() => {
    delete answers.buy;
    delete answers.setSale;
  });

  const unitFor = (orderID: string) => () => {
    asked++;
    return { orderID };
  };
  const buy = async (headers: Record<string, string> = {}, body: object = {}, at = gateway) => {
    const request = { userID: 1, productID: products, amount: 100, ...body };
    const { status, code, data } = await at.call('POST', '/api/v1/flashSale', request, headers);
    return [status, code, data];
  };
  const SOLD_OUT = [409, 40911, {}];

  it('refuses the next buyers without asking, each with an answer of his own', async () => {
    expect(await buy()).toEqual(SOLD_OUT);
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const body = { userID: 2, productID: products, amount: 100 };
        const { status, code, requestID } = await gateway.call('POST', '/api/v1/flashSale', body);
        expect([status, code]).toEqual([409, 40911]);
        return requestID;
      }),
    );
    expect(new Set(ids).size).toBe(10);
    expect(asked).toBe(1);
  });

  it('is asked again when the moment is over', async () => {
    expect(await buy({}, {}, brief)).toEqual(SOLD_OUT);
    answers.buy = unitFor('1');
    let last: unknown[] = [];
    while (last[0] !== 200) last = await buy({}, {}, brief);
    expect(last[2]).toEqual({ orderID: '1' });
  });

  it('is asked again as soon as it has been set anew', async () => {
    expect(await buy()).toEqual(SOLD_OUT);
    answers.setSale = () => ({});
    await gateway.call('POST', '/api/v1/stock/setFlashSale', { productID: products, stock: 1 });
    answers.buy = unitFor('2');
    expect(await buy()).toEqual([200, 0, { orderID: '2' }]);
  });

  it('is not remembered from an answer that is older than its change', async () => {
    const asking = Promise.withResolvers<void>();
    const change = Promise.withResolvers<void>();
    answers.buy = (async () => {
      asking.resolve();
      await change.promise;
      throw new ContractError('FLASH_SALE_SOLD_OUT');
    }) as never;
    answers.setSale = () => ({});
    const early = buy();
    await asking.promise;
    await gateway.call('POST', '/api/v1/stock/setFlashSale', { productID: products, stock: 1 });
    change.resolve();
    expect(await early).toEqual(SOLD_OUT);
    answers.buy = unitFor('3');
    expect(await buy()).toEqual([200, 0, { orderID: '3' }]);
  });

  it('is asked for a request under a key, which may have its unit already', async () => {
    expect(await buy()).toEqual(SOLD_OUT);
    answers.buy = unitFor('4');
    expect(await buy({ 'idempotency-key': 'k' })).toEqual([200, 0, { orderID: '4' }]);
  });

  it('does not hide what is wrong with a request, nor another sale', async () => {
    expect(await buy()).toEqual(SOLD_OUT);
    expect((await buy({}, { userID: 0 }))[0]).toBe(400);
    answers.buy = unitFor('5');
    expect(await buy({}, { productID: 1_000_000 + products })).toEqual([200, 0, { orderID: '5' }]);
  });
});
