import assert from 'node:assert/strict';
import type { ServiceName } from '../../parts/service-names.ts';

type Fields = Record<string, unknown>;

/** How a service is talked to. */
export interface Talk {
  /** A call of the HTTP API: its status, and the envelope. */
  http(method: string, path: string, body?: Fields): Promise<{ status: number; data: Fields }>;
  /** A call over gRPC by the client in the service's own packages; a refusal has the status code's number. */
  grpc(rpc: string, request: Fields): Promise<{ code: number; reply: Fields }>;
}

const OK = 0;

/** What is written over HTTP is read over gRPC. */
function keeps(entity: string, fields: Fields, hidden: Fields = {}) {
  return async (talk: Talk) => {
    const { status, data } = await talk.http('POST', `/api/v1/${entity}`, { ...fields, ...hidden });
    assert.equal(status, 200);
    const { code, reply } = await talk.grpc('getByID', { id: data.id });
    assert.equal(code, OK);
    assert.partialDeepStrictEqual(reply[entity], { id: data.id, ...fields });
  };
}

/** For what only sagas write: both transports read the same empty table. */
function lists(entity: string) {
  return async (talk: Talk) => {
    const params = { page: 0, limit: 10, sort: '', columns: [] };
    const { status, data } = await talk.http('POST', `/api/v1/${entity}/list`, { params });
    assert.equal(status, 200);
    assert.deepEqual(data, { total: 0, [`${entity}s`]: [] });
    const { code, reply } = await talk.grpc('list', { params });
    assert.equal(code, OK);
    assert.deepEqual(reply, data);
  };
}

/** What a service that runs alone is asked, to see that it works on both transports with its own store. */
export const conversations: Record<ServiceName, (talk: Talk) => Promise<void>> = {
  product: keeps('product', { name: 'teapot', price: 1999, photo: '', description: 'holds 1 l ☕' }),
  stock: keeps('stock', { productID: 1, stock: 7 }),
  coupon: keeps('coupon', { userID: 1, amount: 500 }),
  user: keeps('user', { name: 'Alone', email: 'alone@example.com' }, { password: 'correct horse' }),
  order: lists('order'),
  pay: lists('pay'),
  async flashsale(talk) {
    // what its Redis knows of a product that was never on sale
    const { status, data } = await talk.http('GET', `/api/v1/flashSale/sale/${Number.MAX_SAFE_INTEGER}`);
    assert.equal(status, 200);
    assert.equal(data.state, 'none');
    const { code, reply } = await talk.grpc('getSale', { productID: Number.MAX_SAFE_INTEGER });
    assert.equal(code, OK);
    assert.deepEqual(reply, data);
  },
  async gw(talk) {
    // it has neither a store nor a gRPC listener, and no service behind it here: it says so, and describes itself
    const listed = await talk.http('GET', '/api/v1/product/list?page=0&limit=5');
    assert.equal(listed.status, 503);
    const swagger = await talk.http('GET', '/apis/swagger.json');
    assert.equal(swagger.status, 200);
  },
};
