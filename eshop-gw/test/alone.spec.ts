import { couponContract } from '@eshop/proto/coupon';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { eshopContract } from '@eshop/proto/gateway';
import { managementContract } from '@eshop/proto/management';
import { orderContract } from '@eshop/proto/order';
import { payContract } from '@eshop/proto/pay';
import { stockContract } from '@eshop/proto/stock';
import { type Answer, BACKENDS, exampleOf, listen, type Started, startGateway } from './service.js';

const ORDER_ID = '20260102030405678901234567';
const submit = { userID: 1, productID: 1, productCount: 1, amount: 100, couponID: 0 };
const named = (contract: typeof eshopContract) =>
  contract.methods.map((method) => [`${method.verb.toUpperCase()} ${method.route}`, method] as const);
const methods = named(eshopContract);
const management = named(managementContract);

function expectRefusal(answer: Answer, status: number, code: number): void {
  expect(answer).toMatchObject({ status, code, msg: expect.any(String), data: {} });
  expect(answer.requestID).toBe(answer.headers.get('x-request-id'));
  expect(answer.msg).not.toMatch(/127\.0\.0\.1|ECONN|grpc/i);
}

describe('the gateway, with every service down', () => {
  let gateway: Started;
  const DEADLINE_MS = 3000;
  beforeAll(async () => {
    gateway = await startGateway({ deadlineMs: DEADLINE_MS, management: true });
  });
  afterAll(() => gateway.service.close());

  it.each([...methods, ...management])('answers 503 to the example of %s within the deadline', async (_, method) => {
    const { method: verb, path, body } = exampleOf(method);
    const answer = await gateway.call(verb, path, body);
    expectRefusal(answer, 503, 50300);
    expect(answer.ms).toBeLessThan(DEADLINE_MS);
  });

  it('is up itself, and ready to say so', async () => {
    for (const path of ['/health', '/ready', '/ping']) {
      expect((await fetch(`${gateway.service.http}${path}`)).status).toBe(200);
    }
  });
});

describe('the gateway, with services that do not answer', () => {
  it('gives up at the deadline: 504', async () => {
    const silent = await listen();
    const gateway = await startGateway({ addresses: { order: silent.address }, deadlineMs: 500 });
    const answer = await gateway.call('POST', '/api/v1/order/submit', submit);
    expectRefusal(answer, 504, 50400);
    expect(answer.ms).toBeGreaterThan(490);
    await gateway.service.close();
    await silent.close();
  });
});

describe('the gateway by itself', () => {
  let silent: Awaited<ReturnType<typeof listen>>;
  let gateway: Started;
  beforeAll(async () => {
    silent = await listen();
    const { address } = silent;
    gateway = await startGateway({
      addresses: Object.fromEntries(BACKENDS.map((name) => [name, address])),
    });
  });
  afterAll(async () => {
    await gateway.service.close();
    await silent.close();
  });

  it.each([
    ['POST', '/api/v1/order/submit', {}, ['userID', 'productID', 'productCount', 'amount']],
    [
      'POST',
      '/api/v1/order/submit',
      { ...submit, productCount: -1, waitResult: 'yes' },
      ['productCount', 'waitResult'],
    ],
    ['POST', '/api/v1/order/submit', { ...submit, userID: 2 ** 53 }, ['userID']],
    ['POST', '/api/v1/product', { name: '', price: 1.5 }, ['name', 'price']],
    ['POST', '/api/v1/user', { name: 'x', password: 'short', email: 'x' }, ['password', 'email']],
    ['POST', '/api/v1/stock', { stock: 1 }, ['productID']],
    ['POST', '/api/v1/coupon', { userID: 1, amount: 0, status: 2 }, ['amount', 'status']],
    ['POST', '/api/v1/flashSale', { userID: 0, productID: 1 }, ['userID', 'amount']],
    ['GET', '/api/v1/order/list?page=-1&limit=0', undefined, ['page', 'limit']],
    ['GET', '/api/v1/product/list?limit=1001', undefined, ['limit']],
    ['GET', '/api/v1/user/list', undefined, ['limit']],
    ['GET', '/api/v1/stock/list?limit=ten', undefined, ['limit']],
    ['GET', '/api/v1/order/short', undefined, ['orderID']],
    ['GET', `/api/v1/pay/${'9'.repeat(46)}`, undefined, ['orderID']],
    ['GET', `/api/v1/order/${ORDER_ID}%20`, undefined, ['orderID']],
    ['GET', `/api/v1/order/%20${ORDER_ID}`, undefined, ['orderID']],
    ['GET', `/api/v1/order/${ORDER_ID}%0A`, undefined, ['orderID']],
    ['GET', `/api/v1/order/${ORDER_ID}%00`, undefined, ['orderID']],
    ['GET', `/api/v1/pay/${ORDER_ID}%C2%A0`, undefined, ['orderID']],
    ['GET', `/api/v1/pay/${ORDER_ID}+`, undefined, ['orderID']],
    ['GET', `/api/v1/order/${'1'.repeat(200)}`, undefined, ['orderID']],
    [
      'POST',
      '/api/v1/stock/setFlashSale',
      { productID: 1, stock: 1, closesAt: '9999-12-31T23:59:59-12:00' },
      ['closesAt'],
    ],
    ['POST', '/api/v1/stock/setFlashSale', { productID: 1, stock: 1, opensAt: '2026-02-30T00:00:00Z' }, ['opensAt']],
    ['GET', `/api/v1/order/${ORDER_ID}?orderID=${'1'.repeat(26)}`, undefined, ['orderID']],
  ] as const)('refuses %s %s %j by its fields', async (method, path, body, fields) => {
    const answer = await gateway.call(method, path, body);
    expectRefusal(answer, 400, 40000);
    expect(answer.violations?.map(({ field }) => field).sort()).toEqual([...fields].sort());
    for (const { rule, description } of answer.violations ?? []) expect(rule && description).toBeTruthy();
  });

  it('refuses bodies that are not JSON, too large or of another type', async () => {
    const path = '/api/v1/order/submit';
    expectRefusal(await gateway.call('POST', path, '{"userID":'), 400, 40001);
    expectRefusal(await gateway.call('POST', path, { ...submit, note: 'x'.repeat(2 ** 20) }), 413, 41300);
    expectRefusal(await gateway.call('POST', path, 'userID=1', { 'content-type': 'text/plain' }), 415, 41500);
  });

  it('knows no other routes: 404', async () => {
    for (const path of [
      '/',
      '/config',
      '/api/v1/nothing',
      '/api/v1/order',
      '/api/v1/order/submit/now',
      '/api/v1/stock/deduct',
    ]) {
      expectRefusal(await gateway.call('GET', path), 404, 40401);
    }
  });

  // Where the path is also a public route's, the answer is that route's: it has no such method, or no such id.
  it.each(management)('has no route %s: 404', async (_, method) => {
    const { method: verb, path, body } = exampleOf(method);
    const answer = await gateway.call(verb, path, body);
    const shared = /^\/api\/v1\/(?:(?:product|order)\/\d+|pay\/list)/.test(path);
    if (!shared) expectRefusal(answer, 404, 40401);
    else if (verb === 'GET') expectRefusal(answer, 400, 40000);
    else expectRefusal(answer, 405, 40500);
  });

  it('does not pass branches of sagas on', async () => {
    const contracts = [orderContract, stockContract, couponContract, payContract, flashSaleContract];
    const branches = contracts.flatMap((contract) => contract.methods.filter(({ branch }) => branch));
    expect(branches.length).toBeGreaterThan(10);
    for (const method of branches) {
      const { method: verb, path, body } = exampleOf(method);
      const answer = await gateway.call(verb, path, body);
      expect([404, 405]).toContain(answer.status);
      expectRefusal(answer, answer.status, answer.status === 404 ? 40401 : 40500);
    }
  });

  it('tells which methods a route has: 405', async () => {
    const answer = await gateway.call('DELETE', '/api/v1/product', undefined);
    expectRefusal(answer, 405, 40500);
    expect(answer.headers.get('allow')).toBe('POST');
  });

  describe('gives each request an id', () => {
    it('that is the client’s own', async () => {
      const answer = await gateway.call('GET', '/nothing', undefined, { 'x-request-id': 'my-id-1' });
      expect(answer.requestID).toBe('my-id-1');
      expect(answer.headers.get('x-request-id')).toBe('my-id-1');
    });

    it.each(['x'.repeat(129), 'with space', '\u00e9'])('of its own in place of %j', async (bad) => {
      const answer = await gateway.call('GET', '/nothing', undefined, { 'x-request-id': bad });
      expect(answer.requestID).toMatch(/^[0-9a-f]{32}$/);
    });

    it('that no other has', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.call('GET', '/nothing')));
      expect(new Set(answers.map(({ requestID }) => requestID)).size).toBe(50);
    });
  });

  it('has troubled no service with any of that', () => {
    expect(silent.connections()).toBe(0);
  });
});
