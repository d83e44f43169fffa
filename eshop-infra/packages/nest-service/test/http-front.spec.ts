import { codes } from '@eshop/proto';
import { type StockClient, stockClientContract, stockContract } from '@eshop/proto/stock';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { Readiness, type RequestContext } from '../src/index.js';
import { eventually, startTestService, type TestService } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { Probe } from './app/stock.controllers.js';
import { type RawAnswer, rawHttp } from './support/raw-http.js';

const REQUEST_TIMEOUT_MS = 700;

let service: TestService<z.ZodObject>;
let broken = false;
beforeAll(async () => {
  service = await startTestService(AppModule, {
    contract: stockContract,
    config: AppConfig,
    overrides: { http: { requestTimeoutMs: REQUEST_TIMEOUT_MS } },
  });
  service.app.get(Readiness).register({
    name: 'part',
    check: async () => {
      if (broken) throw new Error('away');
    },
  });
});
afterAll(() => service?.close());

const STOCK = '/api/v1/stock';
const CREATE = { productID: 5, stock: 1 };
/** A request with the headers given, each in a line of its own, after which the client wants no more. */
function request(method: string, target: string, headers: readonly string[] = [], body: string | Uint8Array = '') {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: shop', 'Connection: close', ...headers];
  const bytes = Buffer.from(body);
  if (bytes.length > 0) lines.push(`Content-Length: ${bytes.length}`);
  return rawHttp(service.http, Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]));
}
const postJson = (path: string, body: object, headers: readonly string[] = []) =>
  request('POST', path, ['Content-Type: application/json', ...headers], JSON.stringify(body));

function expectRefusal({ status, headers, body }: RawAnswer, name: keyof typeof codes): void {
  expect(body).toMatchObject({ code: codes[name].code, data: {}, requestID: expect.any(String) });
  expect(status).toBe(codes[name].httpStatus);
  expect(headers).toMatchObject({
    'x-request-id': body.requestID,
    'content-type': 'application/json; charset=utf-8',
    connection: 'close',
  });
}

describe('another method than the target has: 405 with Allow', () => {
  const ONE = 'DELETE, GET, HEAD, PUT';
  test.each([
    ['as it is', `${STOCK}/1`, ONE],
    ['with a query', `${STOCK}/1?a=/b`, ONE],
    ['with an empty query', `${STOCK}/1?`, ONE],
    ['with a fragment', `${STOCK}/1#a`, ONE],
    ['a letter percent-encoded', '/api/v1/%73tock/1', ONE],
    ['all percent-encoded', '/%61%70%69/%76%31/%73%74%6f%63%6b/%31', ONE],
    ['in upper-case hex', '/api/v1/stoc%6B/1', ONE],
    ['a parameter percent-encoded', `${STOCK}/%2F`, ONE],
    ['a parameter with a dot', `${STOCK}/..`, ONE],
    ['a whole URL', `http://shop${STOCK}/1`, ONE],
    ['a whole URL with a port and a query', `http://127.0.0.1:80${STOCK}/1?x=1`, ONE],
    ['a whole URL, percent-encoded', 'http://shop/api/v1/%73tock/1', ONE],
    ['a fixed path', '/api/v1/stock/%6Cist', 'DELETE, GET, HEAD, POST, PUT'],
    ['a route outside of Nest', '/%72eady', 'GET, HEAD'],
    ['the page of Swagger', '/apis/swagger/index%2Ehtml', 'GET, HEAD'],
  ])('%s', async (_, target, allow) => {
    const answer = await request('PATCH', target);
    expectRefusal(answer, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow?.split(', ').sort().join(', ')).toBe(allow);
  });

  test.each(['OPTIONS', 'TRACE', 'PROPFIND', 'PURGE'])('the method %s', async (method) => {
    const answer = await request(method, '/api/v1/%73tock/1');
    expectRefusal(answer, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toContain('GET');
  });

  test.each([
    `${STOCK}/1/`,
    `/${STOCK}/1`,
    '/api//v1/stock/1',
    '/api/v1/./stock/1',
    '/api/v1/../v1/stock/1',
    '/API/v1/stock/1',
    '/api/v1%2Fstock/1',
    `http://shop${STOCK}/1/2`,
    'http://shop',
    '*',
  ])('not where no method finds anything: 404 for %s', async (target) => {
    const method = target === '*' ? 'OPTIONS' : 'PATCH';
    expectRefusal(await request(method, target), 'ROUTE_NOT_FOUND');
    if (target !== '*') expectRefusal(await request('GET', target), 'ROUTE_NOT_FOUND');
  });

  test.each(['/%ff', `${STOCK}/%`, `${STOCK}/%zz`])(
    'a target that cannot be read, %s, is 400 or 404',
    async (target) => {
      expectRefusal(await request('GET', target), 'INVALID_PARAMETER');
      expect([400, 404]).toContain((await request('PROPFIND', target)).status);
    },
  );
});

describe('what never becomes a request', () => {
  test.each([
    ['many headers', `GET /ping HTTP/1.1\r\nHost: x\r\n${'X-Long: '.padEnd(1000, 'x')}\r\n`.padEnd(20_000, 'X')],
    ['one endless header', `GET /ping HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['an endless cookie', `GET /ping HTTP/1.1\r\nHost: x\r\nCookie: ${'a=b; '.repeat(5_000)}\r\n\r\n`],
    ['an endless URL', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ])('%s: 431', async (_, bytes) => {
    expectRefusal(await rawHttp(service.http, bytes), 'HEADERS_TOO_LARGE');
  });

  test('endless chunk extensions: 413', async () => {
    const head = `POST ${STOCK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expectRefusal(await rawHttp(service.http, `${head}1;${'x'.repeat(20_000)}\r\n`), 'BODY_TOO_LARGE');
  });

  test.each([
    ['no byte', ''],
    ['half a line', 'GET /pi'],
    ['half a head', 'GET /ping HTTP/1.1\r\nHost: x\r\nX-Sl'],
    [
      'a head without its body',
      `POST ${STOCK} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`,
    ],
    ['half a body', `POST ${STOCK} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"p`],
    [
      'half a chunked body',
      `POST ${STOCK} HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"p\r\n`,
    ],
  ])('%s: 408 after http.requestTimeoutMs', async (_, bytes) => {
    const answer = await rawHttp(service.http, bytes);
    expectRefusal(answer, 'REQUEST_TIMEOUT');
    expect(answer.ms).toBeGreaterThan(REQUEST_TIMEOUT_MS * 0.9);
    expect(answer.ms).toBeLessThan(REQUEST_TIMEOUT_MS + 600);
  });

  test('a second request on a connection that stops half-way: 408 behind the first answer', async () => {
    const answer = await rawHttp(service.http, 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /ping HTT');
    expect(answer.status).toBe(200);
    expect(answer.rest).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });
});

describe('bodies', () => {
  test.each(['gzip', 'deflate', 'br', 'zstd', 'GZIP', 'identity, gzip', 'x'])(
    'Content-Encoding %s: 415 with what is taken',
    async (coding) => {
      const answer = await postJson(STOCK, CREATE, [`Content-Encoding: ${coding}`]);
      expectRefusal(answer, 'UNSUPPORTED_MEDIA_TYPE');
      expect(answer.headers['accept-encoding']).toBe('identity');
    },
  );

  test('Content-Encoding identity, or one without a body, is taken', async () => {
    expect((await postJson(`${STOCK}/list`, {}, ['Content-Encoding: Identity'])).status).toBe(200);
    expect((await request('GET', '/ping', ['Content-Encoding: gzip'])).status).toBe(200);
    expectRefusal(await postJson('/nowhere', {}, ['Content-Encoding: gzip']), 'ROUTE_NOT_FOUND');
  });

  test('another transfer coding than chunked: 501', async () => {
    const head = `POST ${STOCK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n`;
    const bytes = `${head}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`;
    expectRefusal(await rawHttp(service.http, bytes), 'UNIMPLEMENTED');
  });

  test('a byte order mark before JSON is passed over, one more is not', async () => {
    const json = ['Content-Type: application/json'];
    expect((await request('POST', `${STOCK}/list`, json, '\ufeff{}')).status).toBe(200);
    expect((await request('POST', `${STOCK}/list`, json, '\ufeff {"params":{"limit":1}}')).status).toBe(200);
    expectRefusal(await request('POST', `${STOCK}/list`, json, '\ufeff\ufeff{}'), 'MALFORMED_BODY');
    expectRefusal(await request('POST', `${STOCK}/list`, json, '{}\ufeff'), 'MALFORMED_BODY');
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{}', 'utf16le')]);
    expectRefusal(await request('POST', `${STOCK}/list`, json, utf16), 'MALFORMED_BODY');
  });

  test.each([
    ['application/json; charset=utf-8', 200],
    ['application/json;charset="UTF-8"', 200],
    ['application/json; charset=us-ascii', 200],
    ['application/problem+json', 200],
    ['application/json; charset=iso-8859-1', 415],
    ['application/json; charset=utf-16', 415],
    ['application/jsonp', 415],
  ])('of type %s: %i', async (type, status) => {
    expect((await request('POST', `${STOCK}/list`, [`Content-Type: ${type}`], '{}')).status).toBe(status);
  });
});

describe('Retry-After', () => {
  test('with 425, 429 and 503; not with what trying again does not help', async () => {
    const tooEarly = await postJson(`${STOCK}/setFlashSale`, { productID: 4, stock: 1 });
    expectRefusal(tooEarly, 'TOO_EARLY');
    expect(tooEarly.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    const away = await postJson(`${STOCK}/deduct`, { productID: 4, productCount: 1 });
    expectRefusal(away, 'UNAVAILABLE');
    expect(away.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    for (const answer of [
      await postJson(STOCK, {}),
      await request('GET', '/nowhere'),
      await postJson(`${STOCK}/deduct`, { productID: 2, productCount: 1 }),
    ]) {
      expect(answer.headers).not.toHaveProperty('retry-after');
    }
  });

  test('from a limit', async () => {
    const small = await startTestService(AppModule, {
      contract: stockContract,
      config: AppConfig,
      overrides: { http: { maxInFlight: 1 } },
    });
    try {
      const probe = small.app.get(Probe);
      probe.hold = true;
      const held = new Promise((resolve) => probe.once('called', resolve));
      const body = JSON.stringify({ productID: 9, productCount: 1 });
      const headers = { 'content-type': 'application/json' };
      const running = fetch(`${small.http}${STOCK}/deduct`, { method: 'POST', headers, body });
      await held;
      const refused = await fetch(`${small.http}${STOCK}/1`);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
      probe.emit('go');
      await running;
    } finally {
      await small.close();
    }
  });

  test('from /ready', async () => {
    broken = true;
    try {
      const { status, headers } = await fetch(`${service.http}/ready`);
      expect([status, headers.get('retry-after')]).toEqual([503, '2']);
    } finally {
      broken = false;
    }
    const up = await eventually(async () => {
      const answer = await fetch(`${service.http}/ready`);
      return answer.status === 200 ? answer : undefined;
    }, 'readiness');
    expect(up.headers.get('retry-after')).toBeNull();
  });
});

describe('a key or a trace that comes twice', () => {
  test.each([
    ['two keys', ['Idempotency-Key: a', 'Idempotency-Key: b']],
    ['the same key twice', ['Idempotency-Key: a', 'idempotency-key: a']],
    ['an empty one before', ['Idempotency-Key:', 'Idempotency-Key: a']],
    ['three', ['Idempotency-Key: a', 'Idempotency-Key: b', 'Idempotency-Key: c']],
  ])('%s over HTTP: 400', async (_, lines) => {
    const answer = await postJson(`${STOCK}/deduct`, { productID: 9, productCount: 1 }, lines);
    expectRefusal(answer, 'INVALID_PARAMETER');
    expect(answer.body.violations).toEqual([
      { field: 'Idempotency-Key', rule: 'repeated.max_items', description: 'must come once' },
    ]);
  });

  test('a key with a comma in one line is one key', async () => {
    const probe = service.app.get(Probe);
    probe.seen.length = 0;
    const { status } = await postJson(`${STOCK}/deduct`, { productID: 9, productCount: 1 }, ['Idempotency-Key: a, b']);
    expect(status).toBe(200);
    expect(probe.seen).toMatchObject([{ idempotencyKey: 'a, b' }]);
  });

  /** A call with metadata of which keys may come several times. */
  function call(pairs: readonly (readonly [string, string])[]): Promise<unknown> {
    const metadata = new Metadata();
    for (const [key, value] of pairs) metadata.add(key, value);
    const client = new Client(service.grpcAddress, credentials.createInsecure());
    const { stockDeduct } = stockClientContract.definition as Record<string, Parameters<typeof method>[0]>;
    function method(definition: { path: string; requestSerialize(value: unknown): Buffer }) {
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          definition.path,
          definition.requestSerialize,
          (bytes) => bytes,
          { productID: 9, productCount: 1, saleID: 0 },
          metadata,
          (error, reply) => (error ? reject(error) : resolve(reply)),
        );
      }).finally(() => client.close());
    }
    if (!stockDeduct) throw new Error('no such rpc');
    return method(stockDeduct);
  }

  test('two keys over gRPC: INVALID_ARGUMENT; one with a comma is one key', async () => {
    await expect(
      call([
        ['idempotency-key', 'a'],
        ['idempotency-key', 'b'],
      ]),
    ).rejects.toMatchObject({ code: 3 });
    const probe = service.app.get(Probe);
    probe.seen.length = 0;
    await call([['idempotency-key', 'a, b']]);
    expect(probe.seen).toMatchObject([{ idempotencyKey: 'a, b' }]);
  });

  const TRACES = [
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ] as const;
  test('two traceparents are none, over both transports', async () => {
    const probe = service.app.get(Probe);
    probe.seen.length = 0;
    const lines = TRACES.map((trace) => `traceparent: ${trace}`);
    await postJson(`${STOCK}/deduct`, { productID: 9, productCount: 1 }, lines);
    await call(TRACES.map((trace) => ['traceparent', trace] as const));
    await call([['traceparent', TRACES[0]]]);
    const seen = (probe.seen as RequestContext[]).map(({ traceID }) => traceID);
    expect(seen[0]).not.toMatch(/^[01]af7651916cd43dd8448eb211c80319c$/);
    expect(seen[1]).not.toMatch(/^[01]af7651916cd43dd8448eb211c80319c$/);
    expect(seen[2]).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  test('a client of the contract goes on as before', async () => {
    const client = service.client<StockClient>(stockClientContract);
    const deduct = { productID: 9, productCount: 1, saleID: 0 };
    await expect(client.stockDeduct(deduct, { metadata: { 'idempotency-key': 'k' } })).resolves.toEqual({});
  });
});
