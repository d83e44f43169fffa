import { World } from '../audit/testing/world.ts';
import { loadList } from './list.ts';
import { listText, submitText } from './report.ts';
import { loadSubmit, type SubmitOptions } from './submit.ts';
import { type LocalServer, localServer, type Request } from './testing/local-server.ts';

let world: World;
let gateway: LocalServer;
let left: number;

beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.drop());
beforeEach(async () => {
  await world.clear();
});
afterEach(() => gateway.close());

/** Carries each order out at once, in real databases, as the services would. */
async function shop({ path, body }: Request): Promise<{ status?: number; body: unknown }> {
  const reply = (data: object) => ({ body: { code: 0, msg: 'ok', data } });
  if (path === '/api/v1/product') return reply({ id: Number(String(body.name).split(' ')[1]) });
  const productID = Number(body.productID);
  const count = Number(body.productCount);
  if (path === '/api/v1/stock') {
    left = Number(body.stock);
    await world.product(productID, left);
    return reply({ id: productID });
  }
  if (left < count) return reply({ orderID: await world.cancelled({ productID, count }) });
  left -= count;
  return reply({ orderID: await world.placed({ productID, count }) });
}

const options: SubmitOptions = {
  clients: 3,
  seconds: 30,
  count: 10,
  products: 1,
  stockPerProduct: 15,
  user: 7,
  units: 2,
  price: 100,
  tail: 5,
  audit: true,
};

function run(changed: Partial<SubmitOptions> = {}) {
  const target = {
    gatewayUrl: gateway.url,
    mysqlUrl: world.url,
    dtmUrl: process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789',
    processes: [],
    sources: { schemas: world.schemas },
  };
  return loadSubmit(target, { ...options, ...changed });
}

it('reports what the books say about the orders it placed', async () => {
  gateway = await localServer(shop);
  const report = await run();
  expect(report).toMatchObject({
    accepted: 10,
    finished: { placed: 7, cancelled: 3, unfinished: 0 },
    unfinishedAfter5s: 0,
    errors: {},
    audit: { holds: true },
  });
  expect(report.cpu.map(({ name }) => name)).toEqual(['load']);
  const orders = gateway.requests.filter(({ path }) => path === '/api/v1/order/submit');
  expect(orders[0]?.body).toEqual({
    productID: 1,
    userID: 7,
    productCount: 2,
    amount: 200,
    couponID: 0,
    waitResult: false,
  });
  expect(submitText(report)).not.toMatch(/DTM alone/);
  expect(submitText(report)).toMatch(/placed +7[\s\S]*audit: all invariants hold$/);
});

it('holds the orders against what DTM alone can do, when asked to', async () => {
  gateway = await localServer(shop);
  const report = await run({ dtmSeconds: 0.4 });
  expect(report.dtmPerSecond).toBeGreaterThan(0);
  expect(submitText(report)).toMatch(
    /DTM alone finishes \d+\.\d sagas per second; while the load ran it finished \d\.\d\d/,
  );
});

it('measures nothing of the warm-up', async () => {
  gateway = await localServer(shop);
  const report = await run({ warmup: 0.2, count: 4 });
  expect(report).toMatchObject({ accepted: 4, unfinishedAfter5s: 0 });
  expect(report.finished.placed + report.finished.cancelled).toBe(4);
  expect(gateway.requests.filter(({ path }) => path === '/api/v1/order/submit').length).toBeGreaterThan(4);
});

it('puts orders into the queue', async () => {
  gateway = await localServer(shop);
  const report = await run({ queued: true, count: 3 });
  expect(report).toMatchObject({ accepted: 3, finished: { placed: 3, unfinished: 0 }, audit: { holds: true } });
  const orders = gateway.requests.filter(({ path }) => path === '/api/v1/order/sendSubmitNotify');
  expect(orders).toHaveLength(3);
  expect(orders[0]?.body).not.toHaveProperty('waitResult');
  expect(submitText(report)).toMatch(/^3 clients, .* one product, queued/);
});

it('says what the audit found', async () => {
  gateway = await localServer(async (request) => {
    const answer = await shop(request);
    if (request.path.endsWith('/submit')) await world.sql('UPDATE {stock}.stock SET stock = stock - 1');
    return answer;
  });
  const report = await run({ count: 2 });
  expect(report.audit).toMatchObject({ holds: false, broken: { I1: 1 } });
  expect(submitText(report)).toMatch(/audit: VIOLATED I1 ×1$/);
});

it('says why the goods could not be put on sale', async () => {
  gateway = await localServer(() => ({ status: 503, body: { code: 50301, msg: 'busy', data: {} } }));
  await expect(run()).rejects.toThrow('the gateway did not make the product: 503 50301 busy');
});

it('reads the lists in turn', async () => {
  gateway = await localServer(() => ({ body: { code: 0, msg: 'ok', data: { total: 0 } } }));
  const target = { gatewayUrl: gateway.url, processes: [] };
  const report = await loadList(target, { clients: 1, seconds: 30, count: 6, limit: 5 });
  expect(gateway.requests.map(({ path }) => path)).toEqual(
    ['coupon', 'order', 'product', 'stock', 'user', 'coupon'].map((name) => `/api/v1/${name}/list?limit=5`),
  );
  expect(report).toMatchObject({ answered: 6, errors: {} });
  expect(listText(report)).toContain('answered 6');
});
