import { World } from '../audit/testing/world.ts';
import { type FlashOptions, loadFlash } from './flash.ts';
import { flashText } from './report.ts';
import { type LocalServer, localServer, type Request } from './testing/local-server.ts';

let world: World;
let gateway: LocalServer;
const left = new Map<number, number>();

beforeAll(async () => {
  world = await World.create();
  gateway = await localServer(shop);
});
afterAll(async () => {
  await gateway.close();
  await world.drop();
});

/** Sells units while there are any, and carries each order out at once, in real databases. */
async function shop({ path, body }: Request): Promise<{ status?: number; body: unknown }> {
  const reply = (data: object) => ({ body: { code: 0, msg: 'ok', data } });
  const productID = Number(body.productID);
  if (path === '/api/v1/product') return reply({ id: left.size + 1 });
  if (path === '/api/v1/stock') {
    left.set(productID, 0);
    await world.product(productID, Number(body.stock));
    return reply({ id: productID });
  }
  if (path === '/api/v1/stock/setFlashSale') {
    left.set(productID, Number(body.allotted));
    return reply({});
  }
  const units = left.get(productID) ?? 0;
  if (units === 0) return { status: 409, body: { code: 40911, msg: 'sold out', data: {} } };
  left.set(productID, units - 1);
  return reply({ orderID: await world.placed({ productID, userID: Number(body.userID) }) });
}

const options: FlashOptions = {
  clients: 3,
  seconds: 30,
  count: 12,
  units: 10,
  user: 100,
  price: 88,
  soldOutSeconds: 0.1,
  tail: 5,
  audit: true,
};

it('sells to one buyer after the other, then asks a sale that is sold out', async () => {
  const target = { gatewayUrl: gateway.url, mysqlUrl: world.url, processes: [], sources: { schemas: world.schemas } };
  const report = await loadFlash(target, options);
  expect(report).toMatchObject({
    accepted: 10,
    errors: { '409 40911 sold out': 2 },
    finished: { placed: 10, cancelled: 0, unfinished: 0 },
    soldOut: { errors: {} },
    audit: { holds: true },
  });
  expect(report.soldOut?.answered).toBeGreaterThan(0);
  const bought = gateway.requests.filter(({ path }) => path === '/api/v1/flashSale');
  const buyers = bought.map(({ body }) => body.userID);
  expect(new Set(buyers).size).toBe(buyers.length);
  expect(bought[0]?.body).toEqual({ userID: 100, productID: 1, amount: 88 });
  expect(flashText(report)).toMatch(/a sale of 10 units[\s\S]*sold out: answered[\s\S]*audit: all invariants hold$/);
});
