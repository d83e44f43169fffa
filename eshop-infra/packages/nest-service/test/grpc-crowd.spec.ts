import { StockDeductRequest, stockContract } from '@eshop/proto/stock';
import { Client, type ClientUnaryCall, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { startTestService, type TestService } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { Probe } from './app/stock.controllers.js';

let service: TestService<z.ZodObject>;
beforeAll(async () => {
  service = await startTestService(AppModule, { contract: stockContract, config: AppConfig });
});
afterAll(() => service?.close());

const bytes = Buffer.from(StockDeductRequest.encode({ productID: 9, productCount: 1, saleID: 0 }).finish());

test('3000 callers who give up at once do not cut off another one on their connection', async () => {
  const probe = service.app.get(Probe).setMaxListeners(0);
  probe.hold = true;
  let arrived = 0;
  const all = new Promise<void>((resolve) => {
    probe.on('called', () => ++arrived === 3001 && resolve());
  });
  const client = new Client(service.grpcAddress, credentials.createInsecure());
  const deduct = (answered: (error: ServiceError | null) => void): ClientUnaryCall =>
    client.makeUnaryRequest(
      '/api.stock.v1.stock/StockDeduct',
      (value: Buffer) => value,
      (value: Buffer) => value,
      bytes,
      answered,
    );
  try {
    const patient = new Promise<ServiceError | null>((resolve) => deduct(resolve));
    const others = Array.from({ length: 3000 }, () => deduct(() => undefined));
    await all;
    for (const call of others) call.cancel();
    const late = new Promise<ServiceError | null>((resolve) => deduct(resolve));
    probe.hold = false;
    expect(await late).toBeNull();
    probe.emit('go');
    expect(await patient).toBeNull();
  } finally {
    client.close();
  }
});
