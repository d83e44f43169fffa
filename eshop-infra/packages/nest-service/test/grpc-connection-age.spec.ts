import { once } from 'node:events';
import { type StockClient, stockClientContract, stockContract } from '@eshop/proto/stock';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { ConfiguredClientFactory } from '../src/grpc/client-factory.js';
import { Metrics } from '../src/index.js';
import { eventually, startTestService, type TestService } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { Probe } from './app/stock.controllers.js';
import { SteadyLoad } from './support/steady-load.js';
import { type TcpProxy, tcpProxy } from './support/tcp-proxy.js';

let service: TestService<z.ZodObject>;
let proxy: TcpProxy;
let factory: ConfiguredClientFactory;
beforeAll(async () => {
  const grpc = { maxConnectionAgeMs: 200, maxConnectionAgeGraceMs: 5_000 };
  service = await startTestService(AppModule, { contract: stockContract, config: AppConfig, overrides: { grpc } });
  proxy = await tcpProxy({ port: Number(service.grpcAddress.split(':')[1]) });
  const stock = { address: `127.0.0.1:${proxy.port}`, deadlineMs: 5_000, retries: 0 };
  factory = new ConfiguredClientFactory({ grpcClients: { stock } }, new Metrics('test'));
});
afterAll(async () => {
  factory?.onApplicationShutdown();
  proxy?.close();
  await service?.close();
});

test('no call fails because its connection has had its time', async () => {
  const load = new SteadyLoad(factory.create<StockClient>(stockClientContract));
  await eventually(async () => proxy.connections() > 20 || undefined, 'twenty connections to end');
  expect(await load.stop()).toEqual([]);
});

test('a call that takes longer than its connection takes new ones is answered', async () => {
  const probe = service.app.get(Probe);
  probe.hold = true;
  const arrived = once(probe, 'called');
  const client = factory.create<StockClient>(stockClientContract);
  const long = client.stockDeduct({ productID: 9, productCount: 1, saleID: 0 });
  await arrived;
  const connections = proxy.connections();
  await eventually(async () => proxy.connections() > connections + 2 || undefined, 'two more connections');
  probe.hold = false;
  probe.emit('go');
  expect(await long).toEqual({});
});
