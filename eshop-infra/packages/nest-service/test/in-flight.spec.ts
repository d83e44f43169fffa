import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { StockDeductRequest, stockContract } from '@eshop/proto/stock';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { startTestService, type TestService } from '../src/testing/index.js';
import { send } from '../src/testing/send.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { Probe } from './app/stock.controllers.js';
import { rawCall } from './support/raw-call.js';

let service: TestService<z.ZodObject>;
let probe: Probe;
beforeAll(async () => {
  service = await startTestService(AppModule, {
    contract: stockContract,
    config: AppConfig,
    overrides: { http: { maxInFlight: 1, maxConnections: 20, requestTimeoutMs: 60_000 }, grpc: { maxInFlight: 1 } },
  });
  probe = service.app.get(Probe);
});
afterEach(() => {
  probe.hold = false;
  probe.emit('go');
});
afterAll(() => service?.close());

const BODY = { productID: 9, productCount: 1, saleID: 0 };
const overHttp = () => send('POST', `${service.http}/api/v1/stock/deduct`, BODY);
const overGrpc = (metadata?: Record<string, string>) =>
  rawCall(service.grpcAddress, '/api.stock.v1.stock/StockDeduct', StockDeductRequest.encode(BODY).finish(), metadata);

/** A call that is under way until `go`. */
async function held<T>(call: () => Promise<T>): Promise<Promise<T>[]> {
  probe.hold = true;
  const called = once(probe, 'called');
  const answer = call();
  await called;
  probe.hold = false;
  return [answer];
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('requests over http.maxInFlight', () => {
  test('429 in the envelope at once; what machines ask for is answered; the place comes back', async () => {
    const [first] = await held(overHttp);
    const refused = await overHttp();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-request-id')).toBe(refused.body.requestID);
    expect(refused.body).toMatchObject({ msg: 'too many requests at a time, come back later', data: {} });
    for (const path of ['/health', '/ready', '/ping', '/metrics'])
      expect((await fetch(service.http + path)).status).toBe(200);
    probe.emit('go');
    expect((await first)?.status).toBe(200);
    await until(async () => (await overHttp()).status === 200);
  });

  test('one whose caller went away counts until its work is done', async () => {
    probe.hold = true;
    const called = once(probe, 'called');
    const call = request(`${service.http}/api/v1/stock/deduct`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    const broken = once(call, 'error');
    call.end(JSON.stringify(BODY));
    await called;
    probe.hold = false;
    call.destroy(new Error('went away'));
    await broken;
    for (let time = 0; time < 10; time++) expect((await overHttp()).status).toBe(429);
    probe.emit('go');
    await until(async () => (await overHttp()).status === 200);
  });

  test('one whose body breaks off leaves its place', async () => {
    const { hostname, port } = new URL(service.http);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /api/v1/stock/deduct HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    await until(async () => (await overHttp()).status === 429);
    socket.destroy();
    await until(async () => (await overHttp()).status === 200);
  });
});

describe('connections over http.maxConnections', () => {
  test('are closed at once, and accepted again when others end', async () => {
    const { hostname, port } = new URL(service.http);
    const sockets: Socket[] = [];
    const closed = new Promise<void>((resolve) => {
      for (let number = 0; number < 30; number++) {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        socket.once('close', () => resolve());
        sockets.push(socket);
      }
    });
    await closed;
    for (const socket of sockets) socket.destroy();
    await until(async () => {
      const answer = await fetch(`${service.http}/ping`).catch(() => undefined);
      return answer?.status === 200;
    });
  });
});

describe('calls over grpc.maxInFlight', () => {
  test('RESOURCE_EXHAUSTED at once, but not a call of a transaction; the place comes back', async () => {
    const [first] = await held(overGrpc);
    const { error } = await overGrpc();
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error?.details).toBe('too many calls at a time, come back later');
    expect((await overGrpc({ 'dtm-gid': 'a-transaction' })).error).toBeNull();
    probe.emit('go');
    expect((await first)?.error).toBeNull();
    expect((await overGrpc()).error).toBeNull();
  });
});
