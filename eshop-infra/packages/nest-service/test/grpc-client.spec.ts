import { once } from 'node:events';
import { constants, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type StockClient, StockService, stockClientContract } from '@eshop/proto/stock';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newContext, runInContext } from '../src/context/index.js';
import { ConfiguredClientFactory } from '../src/grpc/client-factory.js';
import { ConfigError, Metrics } from '../src/index.js';
import { eventually } from '../src/testing/index.js';

type Handler = (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) => void;

const server = new Server();
let factory: ConfiguredClientFactory;
let client: StockClient;
let calls: ServerUnaryCall<unknown, unknown>[] = [];
let behave: Handler;

beforeAll(async () => {
  const handler: Handler = (call, answer) => {
    calls.push(call);
    behave(call, answer);
  };
  server.addService(StockService, Object.fromEntries(Object.keys(StockService).map((key) => [key, handler])));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const stock = { address: `127.0.0.1:${port}`, deadlineMs: 400, retries: 2 };
  factory = new ConfiguredClientFactory({ grpcClients: { stock } }, new Metrics('test'));
  client = factory.create<StockClient>(stockClientContract);
});
afterAll(() => {
  factory.onApplicationShutdown();
  server.forceShutdown();
});
beforeEach(() => {
  calls = [];
});

const unavailable: Handler = (_call, answer) => answer({ code: status.UNAVAILABLE, details: '10.0.0.7 is gone' });

describe('clients of other services', () => {
  test('a call that is not answered ends at its deadline', async () => {
    behave = () => undefined;
    const started = Date.now();
    await expect(client.getByID({ id: 1 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', httpStatus: 504 });
    expect(Date.now() - started).toBeLessThan(2_000);
    await expect(client.getByID({ id: 1 }, { deadlineMs: 30 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  test('a call never outlives the request it is part of', async () => {
    behave = () => undefined;
    const context = newContext({ deadline: Date.now() + 50 });
    const started = Date.now();
    await expect(runInContext(context, () => client.getByID({ id: 1 }))).rejects.toMatchObject({ httpStatus: 504 });
    expect(Date.now() - started).toBeLessThan(350);
  });

  test('a call without side effects is repeated after UNAVAILABLE', async () => {
    behave = (call, answer) => (calls.length < 3 ? unavailable(call, answer) : answer(null, { stock: undefined }));
    await expect(client.getByID({ id: 1 })).resolves.toEqual({ stock: undefined });
    expect(calls).toHaveLength(3);
  });

  test('repeats end after the configured number', async () => {
    behave = unavailable;
    await expect(client.getByID({ id: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE', httpStatus: 503 });
    expect(calls).toHaveLength(3);
  });

  test('a server whose connection breaks within HTTP/2 is UNAVAILABLE too, and a call without side effects repeated', async () => {
    const broken = createServer();
    let streams = 0;
    broken.on('stream', (stream) => {
      streams++;
      stream.on('error', () => undefined);
      stream.session?.goaway(constants.NGHTTP2_INTERNAL_ERROR);
    });
    broken.listen(0, '127.0.0.1');
    await once(broken, 'listening');
    const { port } = broken.address() as AddressInfo;
    const stock = { address: `127.0.0.1:${port}`, deadlineMs: 5_000, retries: 2 };
    const other = new ConfiguredClientFactory({ grpcClients: { stock } }, new Metrics('test'));
    try {
      const cut = other.create<StockClient>(stockClientContract);
      const unavailable = { code: 'UNAVAILABLE', message: 'stock is not available at the moment' };
      await expect(cut.create({ productID: 1, stock: 1 })).rejects.toMatchObject(unavailable);
      expect(streams).toBe(1);
      await expect(cut.getByID({ id: 1 })).rejects.toMatchObject(unavailable);
      expect(streams).toBe(4);
    } finally {
      other.onApplicationShutdown();
      broken.close();
    }
  });

  test('a call with side effects is made once', async () => {
    behave = unavailable;
    await expect(client.create({ productID: 1, stock: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(calls).toHaveLength(1);
  });

  test('equal reads that wait together are one call, made after they asked', async () => {
    let stock = 0;
    const answers: (() => void)[] = [];
    behave = (_call, answer) =>
      answers.push(() => answer(null, { stock: { id: 7, productID: 7, stock, createdAt: '', updatedAt: '' } }));
    const first = client.getByID({ id: 7 });
    const others = Array.from({ length: 20 }, () => client.getByID({ id: 7 }));
    const other = client.getByID({ id: 8 });
    await eventually(async () => answers[1], 'two calls');
    for (const answer of answers.splice(0)) answer();
    await Promise.all([first, other]);
    stock = 5;
    await eventually(async () => answers[0], 'the shared call');
    answers[0]?.();
    for (const reply of await Promise.all(others)) expect(reply.stock?.stock).toBe(5);
    expect(calls).toHaveLength(3);
  });

  test('a reader with more time than the one whose call it shares gets its answer all the same', async () => {
    behave = (_call, answer) => {
      if (calls.length > 1) answer(null, { stock: undefined });
    };
    const hurried = newContext({ deadline: Date.now() + 100 });
    const inHurry = () => runInContext(hurried, () => client.getByID({ id: 9 }));
    const first = expect(inHurry()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    // Its turn comes when its time is over, too.
    const second = inHurry().catch(() => undefined);
    await expect(client.getByID({ id: 9 })).resolves.toEqual({ stock: undefined });
    await Promise.all([first, second]);
  });

  test('writes are never shared', async () => {
    behave = (_call, answer) => answer(null, { id: calls.length });
    const ids = await Promise.all([1, 2, 3].map(() => client.create({ productID: 1, stock: 1 })));
    expect(new Set(ids.map(({ id }) => id)).size).toBe(3);
  });

  test('other failures are not repeated', async () => {
    behave = (_call, answer) => answer({ code: status.ABORTED, details: 'no' });
    await expect(client.getByID({ id: 1 })).rejects.toMatchObject({ code: 'CONFLICT', message: 'no' });
    expect(calls).toHaveLength(1);
  });

  test('the text of a transport failure is not passed on', async () => {
    behave = unavailable;
    await expect(client.create({ productID: 1, stock: 1 })).rejects.toMatchObject({
      message: 'stock is not available at the moment',
    });
  });

  test('a server that is not there: UNAVAILABLE', async () => {
    const settings = { address: '127.0.0.1:1', deadlineMs: 5_000, retries: 0 };
    const own = new ConfiguredClientFactory({ grpcClients: { stock: settings } }, new Metrics('test'));
    await expect(own.create<StockClient>(stockClientContract).getByID({ id: 1 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    own.onApplicationShutdown();
  });

  test('a client whose address is not configured stops the start and names the setting', () => {
    const own = new ConfiguredClientFactory({ grpcClients: {} }, new Metrics('test'));
    expect(() => own.create(stockClientContract)).toThrow(ConfigError);
    expect(() => own.create(stockClientContract)).toThrow(/GRPC_CLIENTS_STOCK_ADDRESS/);
  });
});
