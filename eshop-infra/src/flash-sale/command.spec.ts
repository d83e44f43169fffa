import { type LocalServer, localServer, type Request } from '../load/testing/local-server.ts';
import { flashSaleCommand } from './command.ts';

let services: LocalServer;
let lines: string[];
let answers: Record<string, { status?: number; body: unknown }>;
const { log } = console;

beforeAll(async () => {
  services = await localServer(
    ({ method, path }: Request) =>
      answers[`${method} ${path}`] ?? { status: 404, body: { code: 40400, msg: 'not found', data: {} } },
  );
});
afterAll(() => services.close());
beforeEach(() => {
  lines = [];
  console.log = (text: string) => lines.push(text);
});
afterEach(() => {
  console.log = log;
});

const ok = (data: object) => ({ body: { code: 0, msg: 'ok', data } });

async function run(...words: string[]): Promise<string> {
  const port = Number(new URL(services.url).port);
  const command = flashSaleCommand({ ports: { flashsaleHttp: port, stockHttp: port } });
  for (const one of command.commands) one.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.exitOverride().parseAsync(words, { from: 'user' });
  return lines.join('\n');
}

const counter = { saleID: 17, version: 1, reserved: 4, limitPerUser: 0, opensAt: '', closesAt: '' };

it('shows a sale from both sides', async () => {
  const flashSale = { id: 17, units: 10, limitPerUser: 2, status: 1, version: 1 };
  answers = {
    'GET /api/v1/stock/flashSale/3': ok({ flashSale, stock: 8, allotted: 6 }),
    'GET /api/v1/flashSale/sale/3': ok({ ...counter, state: 'running', left: 6 }),
  };
  const text = await run('show', '3');
  expect(text).toMatch(/flash sale 17 of product 3, running[\s\S]*left +6[\s\S]*held by orders +4/);
  expect(text).not.toContain('rebuild');
});

it('says what to do about a sale whose counter is lost', async () => {
  const flashSale = { id: 17, units: 10, limitPerUser: 0, status: 1, version: 1 };
  answers = {
    'GET /api/v1/stock/flashSale/3': ok({ flashSale, stock: 8, allotted: 6 }),
    'GET /api/v1/flashSale/sale/3': ok({ ...counter, state: 'none', left: 0, reserved: 0 }),
  };
  expect(await run('show', '3')).toContain('eshop flash-sale rebuild 3');
});

it('says that a product has no sale', async () => {
  answers = { 'GET /api/v1/flashSale/sale/3': ok({ ...counter, state: 'none', left: 0 }) };
  expect(await run('show', '3')).toBe('product 3 has no flash sale');
});

it('rebuilds a sale, or says why not', async () => {
  answers = { 'POST /api/v1/flashSale/sale/3/rebuild': ok({ saleID: 17, left: 6 }) };
  expect(await run('rebuild', '3')).toBe('sale 17 of product 3 is open again: 6 units are left');
  answers = {
    'POST /api/v1/flashSale/sale/3/rebuild': { status: 409, body: { code: 40900, msg: 'orders run', data: {} } },
  };
  await expect(run('rebuild', '3')).rejects.toThrow('answers 409: 40900 orders run');
});

it.each(['0', '-1', 'x', '1.5'])('refuses the product %s', async (text) => {
  await expect(run('show', '--', text)).rejects.toThrow('a product id');
});
