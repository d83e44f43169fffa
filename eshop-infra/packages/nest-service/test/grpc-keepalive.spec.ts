import { type StockClient, stockClientContract } from '@eshop/proto/stock';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { grpcConnectionsSection } from '../src/config/sections.js';
import { ConfiguredClientFactory } from '../src/grpc/client-factory.js';
import { Metrics } from '../src/index.js';
import { eventually } from '../src/testing/index.js';
import { Replica } from './support/replica.js';
import { type TcpProxy, tcpProxy } from './support/tcp-proxy.js';

const DEADLINE_MS = 20_000;

let replica: Replica;
let proxy: TcpProxy;
let factory: ConfiguredClientFactory;
let client: StockClient;

beforeEach(async () => {
  replica = new Replica();
  await replica.start();
  proxy = await tcpProxy(replica);
  factory = new ConfiguredClientFactory(
    {
      grpcClients: { stock: { address: `127.0.0.1:${proxy.port}`, deadlineMs: DEADLINE_MS, retries: 1 } },
      grpcConnections: grpcConnectionsSection.parse({ keepaliveMs: 200, keepaliveTimeoutMs: 500 }),
    },
    new Metrics('test'),
  );
  client = factory.create<StockClient>(stockClientContract);
  await client.getByID({ id: 1 });
});
afterEach(() => {
  factory.onApplicationShutdown();
  proxy.close();
  replica.kill();
});

test('calls on a connection that goes silent end long before their deadline; those without side effects are repeated', async () => {
  replica.behave = () => undefined;
  const arrived = replica.calls + 2;
  const started = Date.now();
  const write = client.create({ productID: 1, stock: 1 });
  const read = client.getByID({ id: 2 });
  await eventually(async () => replica.calls === arrived || undefined, 'both calls to arrive');
  replica.behave = (_call, answer) => answer(null, { stock: undefined });
  proxy.silence();
  await expect(write).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await read).toEqual({ stock: undefined });
  expect(Date.now() - started).toBeLessThan(DEADLINE_MS / 2);
});

test('a connection that goes silent while nobody calls is replaced', async () => {
  proxy.silence();
  await eventually(async () => proxy.connections() > 1 || undefined, 'a new connection');
  expect(await client.create({ productID: 1, stock: 1 })).toBeDefined();
});
