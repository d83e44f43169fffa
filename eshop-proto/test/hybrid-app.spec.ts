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
  const listed = (...columns: string[]) =>
    Buffer.from(`0a${field(columns.map((column) => `22${field(column)}`).join(''))}`, 'hex');

  it.each([
    ['an id of 2^64-1', 'getByID', Buffer.from('08ffffffffffffffffff01', 'hex')],
    ['an id of 2^53', 'getByID', Buffer.from('088080808080808010', 'hex')],
    ['bytes that are no message', 'getByID', Buffer.from('0a', 'hex')],
    ['a number that is cut off', 'getByID', Buffer.from('0880', 'hex')],
    ['a tag without a field number', 'getByID', Buffer.from('080100ffff', 'hex')],
    ['the end of a group that has not begun', 'getByID', Buffer.from('08010c', 'hex')],
    ['a group without an end', 'getByID', Buffer.from('0801130801', 'hex')],
    ['a wire type that does not exist', 'getByID', Buffer.from('080117', 'hex')],
    ['a nested message that ends early', 'list', listed('00', '0a0161')],
    ['a nested message that is longer than it says', 'list', Buffer.from('0a020801080522', 'hex')],
    ['a branch with a field that is cut off', 'stockDeduct', Buffer.from('0801100182', 'hex')],
    ['text that is not UTF-8', 'list', Buffer.from('0a031a01ff', 'hex')],
    ['such text in a repeated message', 'list', listed('0a0161', '0a0161', '1a02c328')],
    ['an overlong character', 'list', listed('0a02c0af')],
    ['half a surrogate pair', 'list', listed('1a03eda0bd')],
    ['a character beyond the last one', 'list', listed('1a04f4908080')],
    ['a character that is cut off', 'list', listed('1a036162c3')],
  ])('is INVALID_ARGUMENT: %s', async (_what, key, bytes) => {
    const { status, json } = await refusal(hybrid.callRaw(key, bytes));
    expect(status).toBe(3);
    expect(json).toMatchObject({ code: 'INVALID_PARAMETER', violations: [{ field: '', rule: 'encoding' }] });
    expect(calls).toEqual([]);
  });

  it.each([
    ['all of Unicode', 'a\u0000é漢😀\ufffd'],
    ['a byte order mark', '\ufefftext'],
  ])('is not one with %s', async (_what, value) => {
    const columns = [{ name: 'product_id', exp: '=', value, logic: '' }];
    await hybrid.call(StockService.list, { params: { page: 0, limit: 1, sort: '', columns } });
    expect(calls).toMatchObject([{ request: { params: { columns } } }]);
  });

  it('is not one with fields of a later contract', async () => {
    await hybrid.callRaw('deleteByID', Buffer.from('0808fa01026869fb0108012a0161fc01', 'hex'));
    expect(calls).toMatchObject([{ request: { id: 8 } }]);
  });
});

/** Bytes with their length before them, as hexadecimal digits. */
function field(bytes: string): string {
  return (bytes.length / 2).toString(16).padStart(2, '0') + bytes;
}
