import { GRPC_CLIENT_FACTORY, type GrpcClientFactory, type ServiceContract } from '@eshop/proto';
import { type StockClient, stockClientContract, stockContract } from '@eshop/proto/stock';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Controller, Get, Inject, Logger, Module } from '@nestjs/common';
import type { z } from 'zod';
import { type RequestContext, requestContext, withRequestContext } from '../src/index.js';
import { startTestService, type TestService } from '../src/testing/index.js';
import { send } from '../src/testing/send.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { Probe } from './app/stock.controllers.js';

@Controller()
class FrontController {
  private readonly logger = new Logger('Front');
  private readonly stock: StockClient;

  constructor(@Inject(GRPC_CLIENT_FACTORY) factory: GrpcClientFactory) {
    this.stock = factory.create<StockClient>(stockClientContract);
  }

  @Get('/front')
  async front(): Promise<object> {
    this.logger.log({ password: 'hunter2', nested: { token: 'abc' } });
    await this.stock.stockDeduct({ productID: 9, productCount: 1, saleID: 0 });
    return { ...requestContext() };
  }
}

@Module({ controllers: [FrontController] })
class FrontModule {}

const frontContract: ServiceContract = {
  name: 'front',
  fullName: 'api.front.v1.front',
  package: 'api.front.v1',
  title: 'front',
  httpPort: 0,
  grpcPort: null,
  definition: null,
  fileDescriptors: [],
  methods: [],
};

let back: TestService<z.ZodObject>;
let front: TestService<z.ZodObject>;
const lines: string[] = [];
beforeAll(async () => {
  back = await startTestService(AppModule, { contract: stockContract, config: AppConfig });
  front = await startTestService(FrontModule, {
    contract: frontContract,
    overrides: { grpcClients: { stock: { address: back.grpcAddress } }, log: { level: 'info' } },
    logStream: { write: (line) => lines.push(line) },
  });
});
afterAll(async () => {
  await front?.close();
  await back?.close();
});

async function through(headers: Record<string, string>) {
  const seen = back.app.get(Probe).seen as RequestContext[];
  seen.length = 0;
  const { headers: answered, body } = await send('GET', `${front.http}/front`, undefined, headers);
  const [there] = seen;
  return { here: body.data as unknown as RequestContext, there, header: answered.get('x-request-id') };
}

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the request context', () => {
  test('the ids of the client go through to the next service', async () => {
    const { here, there, header } = await through({ 'x-request-id': 'mine-1', traceparent: TRACEPARENT });
    expect(header).toBe('mine-1');
    expect(here).toMatchObject({ requestID: 'mine-1', traceID: '0af7651916cd43dd8448eb211c80319c' });
    expect(there).toMatchObject({ requestID: 'mine-1', traceparent: TRACEPARENT });
  });

  test('without ids new ones are made, once for all services', async () => {
    const { here, there, header } = await through({});
    expect(header).toMatch(/^[\da-f]{32}$/);
    expect(here.requestID).toBe(header);
    expect(there?.requestID).toBe(header);
    expect(there?.traceID).toBe(here.traceID);
  });

  test.each(['', 'x'.repeat(129), 'two words', 'tab\tbed'])('id %j is not acceptable and replaced', async (id) => {
    const { header } = await through({ 'x-request-id': id });
    expect(header).toMatch(/^[\da-f]{32}$/);
  });

  test('the key under which the client may repeat its request reaches the next service', async () => {
    const { here, there } = await through({ 'idempotency-key': 'try "1" ~' });
    expect(here.idempotencyKey).toBe('try "1" ~');
    expect(there?.idempotencyKey).toBe('try "1" ~');
    expect((await through({})).there?.idempotencyKey).toBeUndefined();
  });

  test.each(['', 'x'.repeat(129), 'caf\u00e9'])('a key that cannot be taken, such as %j, is refused', async (key) => {
    const { status, body } = await send('GET', `${front.http}/front`, undefined, { 'idempotency-key': key });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 40000, violations: [{ field: 'Idempotency-Key', rule: 'string.pattern' }] });
  });

  test('a key that cannot be taken is refused over gRPC too', async () => {
    const call = back
      .client<StockClient>(stockClientContract)
      .stockDeduct({ productID: 9, productCount: 1, saleID: 0 }, { metadata: { 'idempotency-key': 'x'.repeat(129) } });
    await expect(call).rejects.toMatchObject({ code: 'INVALID_PARAMETER', grpcStatus: 3 });
  });

  test('the deadline of the request reaches the next service', async () => {
    const { there } = await through({});
    expect(there?.deadline).toBeGreaterThan(Date.now());
    expect(there?.deadline).toBeLessThanOrEqual(Date.now() + 3_000);
  });

  test('gid of DTM: from gRPC metadata and from the HTTP query', async () => {
    const seen = back.app.get(Probe).seen as RequestContext[];
    seen.length = 0;
    const deduct = { productID: 9, productCount: 1, saleID: 0 };
    await back.client<StockClient>(stockClientContract).stockDeduct(deduct, { metadata: { 'dtm-gid': 'g1' } });
    await send('POST', `${back.http}/api/v1/stock/deduct?gid=g2&op=action`, deduct);
    expect(seen.map(({ gid }) => gid)).toEqual(['g1', 'g2']);
  });

  test("log lines carry the ids, the request's line no more than route and status; secrets are hidden", async () => {
    lines.length = 0;
    await through({ 'x-request-id': 'logged' });
    const own = lines.map((line) => JSON.parse(line)).filter(({ requestID }) => requestID === 'logged');
    expect(own).toEqual([
      expect.objectContaining({ context: 'Front', password: '***', nested: { token: '***' } }),
      expect.objectContaining({ msg: 'http', method: 'GET', route: '/front', status: 200, ms: expect.any(Number) }),
    ]);
  });

  test('background work gets a context of its own', () => {
    expect(requestContext()).toBeUndefined();
    expect(withRequestContext({ requestID: 'job-1' }, () => requestContext()?.requestID)).toBe('job-1');
  });
});
