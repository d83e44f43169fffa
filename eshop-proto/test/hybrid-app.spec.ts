import { StockService } from '@eshop/proto/stock';
import type { ServiceError } from '@grpc/grpc-js';
import { type HybridApp, startHybridApp } from './support/hybrid-app.ts';
import { calls } from './support/stock-controllers.ts';

let hybrid: HybridApp;

beforeAll(async () => {
  hybrid = await startHybridApp();
});
afterAll(() => hybrid.close());
beforeEach(() => {
  calls.length = 0;
});

async function http(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const response = await fetch(hybrid.http + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, json: await response.json() };
}

async function refusal(call: Promise<unknown>): Promise<{ status: number; json: unknown }> {
  try {
    await call;
  } catch (error) {
    const { code, details } = error as ServiceError;
    return { status: code, json: JSON.parse(details) as unknown };
  }
  throw new Error('the call was not refused');
}

describe('a method of a decorated controller', () => {
  it('gets the same request over HTTP and over gRPC', async () => {
    expect(await http('POST', '/api/v1/stock', { productID: 3, stock: 10 })).toEqual({ status: 200, json: { id: 7 } });
    expect(await hybrid.call(StockService.create, { productID: 3, stock: 10 })).toEqual({ id: 7 });
    expect(calls).toEqual([
      { method: 'create', request: { productID: 3, stock: 10 } },
      { method: 'create', request: { productID: 3, stock: 10 } },
    ]);
  });

  it('is reached on the route of the contract with path fields', async () => {
    expect((await http('PUT', '/api/v1/stock/9', { stock: 0 })).status).toBe(200);
    expect((await http('DELETE', '/api/v1/stock/8')).status).toBe(200);
    expect(calls).toEqual([
      { method: 'updateByID', request: { id: 9, productID: undefined, stock: 0 } },
      { method: 'deleteByID', request: { id: 8 } },
    ]);
  });

  it('is bound when it is inherited', async () => {
    expect(
      (await http('POST', '/api/v1/stock/deductRevert', { productID: 1, productCount: 1, saleID: 0 })).status,
    ).toBe(200);
    await hybrid.call(StockService.stockDeductRevert, { productID: 1, productCount: 1, saleID: 0 });
    expect(calls.map((call) => call.method)).toEqual(['stockDeductRevert', 'stockDeductRevert']);
  });

  it('is not called with an invalid request; both transports name the same rules', async () => {
    const violations = [
      { field: 'productID', rule: 'uint64.gt', description: 'must be greater than 0' },
      { field: 'productCount', rule: 'uint32.gt', description: 'must be greater than 0' },
    ];
    const json = { code: 'INVALID_PARAMETER', violations };
    expect(await http('POST', '/api/v1/stock/deduct', {})).toEqual({ status: 400, json });
    expect(await refusal(hybrid.call(StockService.stockDeduct, { productID: 0, productCount: 0, saleID: 0 }))).toEqual({
      status: 3,
      json,
    });
    expect(calls).toEqual([]);
  });

  it('throws the same error on both transports', async () => {
    const json = { code: 'STOCK_NOT_FOUND', violations: [] };
    expect(await http('GET', '/api/v1/stock/1')).toEqual({ status: 404, json });
    expect(await refusal(hybrid.call(StockService.getByID, { id: 1 }))).toEqual({ status: 5, json });
  });
});

describe('a gRPC request that cannot be decoded', () => {
  it.each([
    ['an id of 2^64-1', Buffer.from('08ffffffffffffffffff01', 'hex')],
    ['an id of 2^53', Buffer.from('088080808080808010', 'hex')],
    ['bytes that are no message', Buffer.from('0a', 'hex')],
  ])('is INVALID_ARGUMENT: %s', async (_what, bytes) => {
    const { status, json } = await refusal(hybrid.callRaw('getByID', bytes));
    expect(status).toBe(3);
    expect(json).toMatchObject({ code: 'INVALID_PARAMETER', violations: [{ field: '', rule: 'encoding' }] });
    expect(calls).toEqual([]);
  });
});
