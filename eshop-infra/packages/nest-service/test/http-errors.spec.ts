import { once } from 'node:events';
import { connect } from 'node:net';
import { codes } from '@eshop/proto';
import { stockContract } from '@eshop/proto/stock';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { startTestService, type TestService } from '../src/testing/index.js';
import { type Answer, send } from '../src/testing/send.js';
import { AppConfig, AppModule } from './app/app.module.js';

let service: TestService<z.ZodObject>;
const lines: string[] = [];
beforeAll(async () => {
  service = await startTestService(AppModule, {
    contract: stockContract,
    config: AppConfig,
    overrides: { log: { level: 'warn' } },
    logStream: { write: (line) => lines.push(line) },
  });
});
afterAll(() => service?.close());

const STOCK = '/api/v1/stock';
const go = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  send(method, service.http + path, body, headers);

function expectError(answer: Answer, name: keyof typeof codes): void {
  expect(answer.body).toMatchObject({ code: codes[name].code, data: {}, requestID: expect.any(String) });
  expect(answer.status).toBe(codes[name].httpStatus);
  expect(answer.headers.get('x-request-id')).toBe(answer.body.requestID);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
}

describe('the envelope over HTTP', () => {
  test('success: code 0, msg ok, the reply', async () => {
    const created = await go('POST', STOCK, { productID: 77, stock: 1 });
    expect(created.status).toBe(200);
    expect(created.body).toEqual({ code: 0, msg: 'ok', data: { id: expect.any(Number) } });
    expect(created.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const list = await go('POST', `${STOCK}/list`, { params: { columns: [{ name: 'id', value: '999999' }] } });
    expect(list.body.data).toEqual({ total: 0, stocks: [] });
  });

  test('broken rules: 400 with the fields and rules', async () => {
    const answer = await go('POST', STOCK, { productID: 0, stock: 'x' });
    expectError(answer, 'INVALID_PARAMETER');
    expect(answer.body.violations).toEqual(
      expect.arrayContaining([{ field: 'stock', rule: 'type', description: expect.any(String) }]),
    );
  });

  test.each([
    ['not JSON', '{"productID": 1,'],
    ['not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['a byte order mark alone', '\ufeff'],
    ['a very deep array', '['.repeat(100_000)],
  ])('body is %s: 400', async (_, body) => {
    expectError(await go('POST', STOCK, body), 'MALFORMED_BODY');
  });

  test.each([
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['a number', '1'],
  ])('body is %s: 400', async (_, body) => {
    const { status } = await go('POST', STOCK, body);
    expect(status).toBe(400);
  });

  test('empty body where one is needed: 400', async () => {
    expect((await go('POST', STOCK, '')).status).toBe(400);
    expect((await go('POST', STOCK)).status).toBe(400);
  });

  test('an empty body with a content type on DELETE is no body', async () => {
    expectError(
      await go('DELETE', `${STOCK}/123456`, undefined, { 'content-type': 'application/json' }),
      'STOCK_NOT_FOUND',
    );
  });

  test('body over 1 MiB: 413', async () => {
    expectError(await go('POST', STOCK, `"${'x'.repeat(1_048_577)}"`), 'BODY_TOO_LARGE');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'nonsense'])(
    'body of type %s: 415',
    async (type) => {
      expectError(
        await go('POST', STOCK, '{"productID":1,"stock":1}', { 'content-type': type }),
        'UNSUPPORTED_MEDIA_TYPE',
      );
    },
  );

  test('unknown route: 404', async () => {
    expectError(await go('GET', '/api/v1/stocks/1'), 'ROUTE_NOT_FOUND');
    expectError(await go('POST', '/nowhere', 'x', { 'content-type': 'text/plain' }), 'ROUTE_NOT_FOUND');
  });

  test('known route, other method: 405 with Allow', async () => {
    const answer = await go('PATCH', `${STOCK}/1`, {});
    expectError(answer, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PUT']);
    expectError(await go('GET', STOCK), 'METHOD_NOT_ALLOWED');
  });

  test.each(['%ff', '%', '%zz', '%c3%28', 'x'.repeat(300)])('path segment %s: 400', async (segment) => {
    expectError(await go('GET', `${STOCK}/${segment}`), 'INVALID_PARAMETER');
  });

  test('wrong percent-encoding in a query is 400 or ignored, never 500', async () => {
    expectError(await go('GET', `${STOCK}/123456?x=%ff&%=%`), 'STOCK_NOT_FOUND');
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['a method nobody knows', 'FOO / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s: 400 in the envelope', async (_, bytes) => {
    const socket = connect(Number(new URL(service.http).port), '127.0.0.1');
    socket.end(bytes);
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
    expect(body).toMatchObject({ code: codes.INVALID_PARAMETER.code, requestID: expect.any(String) });
    expect(text).toContain(`X-Request-Id: ${body.requestID}`);
  });

  test('unknown id: 404; taken key: 409; out of range in the database: 400', async () => {
    expectError(await go('GET', `${STOCK}/123456`), 'STOCK_NOT_FOUND');
    await go('POST', STOCK, { productID: 78, stock: 1 });
    const taken = await go('POST', STOCK, { productID: 78, stock: 1 });
    expectError(taken, 'ALREADY_EXISTS');
    expect(JSON.stringify(taken.body)).not.toMatch(/duplicate|entry|insert/i);
  });

  test('a business refusal: its own code and 409', async () => {
    expectError(await go('POST', `${STOCK}/deduct`, { productID: 1, productCount: 1 }), 'STOCK_INSUFFICIENT');
  });

  test('what nobody foresaw: 500 that tells nothing, and a log line that tells all', async () => {
    const answer = await go('POST', `${STOCK}/deduct`, { productID: 2, productCount: 1 });
    expectError(answer, 'INTERNAL');
    expect(JSON.stringify(answer.body)).not.toContain('inside');
    const line = lines.map((each) => JSON.parse(each)).find(({ requestID }) => requestID === answer.body.requestID);
    expect(line).toMatchObject({ level: 'error', code: 'INTERNAL', err: { message: 'a secret of the inside' } });
    expect(line.err.stack).toContain('FaultController');
  });

  test('wrong SQL: 500 without SQL, also in the log no statement', async () => {
    const answer = await go('POST', `${STOCK}/deduct`, { productID: 3, productCount: 1 });
    expectError(answer, 'INTERNAL');
    expect(JSON.stringify(answer.body)).not.toContain('nowhere');
    expect(lines.join('')).not.toContain('SELECT nonsense');
  });

  test('a connection lost in a statement: 503, and the next request works', async () => {
    expectError(await go('POST', `${STOCK}/deduct`, { productID: 4, productCount: 1 }), 'UNAVAILABLE');
    expect((await go('POST', `${STOCK}/list`, {})).status).toBe(200);
  });

  test('an RpcException: the status it stands for', async () => {
    expectError(await go('POST', `${STOCK}/setFlashSale`, { productID: 4, stock: 1 }), 'TOO_EARLY');
  });
});
