import { type CodeName, codes } from '@eshop/proto';
import { type StockClient, StockDeductRequest, stockClientContract, stockContract } from '@eshop/proto/stock';
import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { DETAILS_KEY, decodeDetails } from '../src/errors/status-details.js';
import { startTestService, type TestService } from '../src/testing/index.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { rawCall } from './support/raw-call.js';

let service: TestService<z.ZodObject>;
let client: StockClient;
const lines: string[] = [];
beforeAll(async () => {
  service = await startTestService(AppModule, {
    contract: stockContract,
    config: AppConfig,
    overrides: { log: { level: 'info' } },
    logStream: { write: (line) => lines.push(line) },
  });
  client = service.client<StockClient>(stockClientContract);
});
afterAll(() => service?.close());

const deduct = (productID: number, metadata?: Record<string, string>) =>
  rawCall(
    service.grpcAddress,
    '/api.stock.v1.stock/StockDeduct',
    StockDeductRequest.encode({ productID, productCount: 1, saleID: 0 }).finish(),
    metadata,
  );

const detailsOf = (error: ServiceError | null) => decodeDetails(error?.metadata.get(DETAILS_KEY)[0] as Buffer);

async function caught(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('errors over gRPC', () => {
  test.each<[number, CodeName]>([
    [1, 'STOCK_INSUFFICIENT'],
    [2, 'INTERNAL'],
    [3, 'INTERNAL'],
    [4, 'UNAVAILABLE'],
  ])('fault %i: the standard status of %s, with google.rpc.ErrorInfo', async (fault, name) => {
    const { error } = await deduct(fault, { request_id: `fault-${fault}` });
    expect(error?.code).toBe(codes[name].grpcStatus);
    expect(detailsOf(error)).toMatchObject({
      code: codes[name].grpcStatus,
      reason: name,
      domain: 'api.stock.v1.stock',
      metadata: { requestID: `fault-${fault}` },
      violations: [],
    });
    expect(error?.details).not.toMatch(/inside|nowhere|SELECT/);
  });

  test('broken rules: INVALID_ARGUMENT with google.rpc.BadRequest', async () => {
    const { error } = await deduct(0);
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    expect(detailsOf(error)?.violations).toEqual([
      { field: 'productID', rule: 'uint64.gt', description: 'must be greater than 0' },
    ]);
  });

  test('bytes that are no message: INVALID_ARGUMENT', async () => {
    const { error } = await rawCall(
      service.grpcAddress,
      '/api.stock.v1.stock/StockDeduct',
      new Uint8Array([0xff, 0xff]),
    );
    expect(error?.code).toBe(status.INVALID_ARGUMENT);
    expect(detailsOf(error)?.reason).toBe('INVALID_PARAMETER');
  });

  test('a request over 4 MiB: RESOURCE_EXHAUSTED; an unknown method: UNIMPLEMENTED', async () => {
    const large = await rawCall(service.grpcAddress, '/api.stock.v1.stock/StockDeduct', new Uint8Array(4_194_305));
    expect(large.error?.code).toBe(status.RESOURCE_EXHAUSTED);
    const unknown = await rawCall(service.grpcAddress, '/api.stock.v1.stock/Nothing', new Uint8Array());
    expect(unknown.error?.code).toBe(status.UNIMPLEMENTED);
  });

  test('an RpcException with a status passes through', async () => {
    const { error } = await rawCall(
      service.grpcAddress,
      '/api.stock.v1.stock/SetFlashSaleStock',
      StockDeductRequest.encode({ productID: 1, productCount: 1, saleID: 0 }).finish(),
    );
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'not yet' });
  });

  test('half a surrogate pair in a message does not break the answer', async () => {
    const { error } = await deduct(1);
    expect(error?.details).toBe('half a pair \ufffd');
  });

  test('our client gives back the error that the service threw', async () => {
    expect(await caught(client.stockDeduct({ productID: 1, productCount: 1, saleID: 0 }))).toMatchObject({
      name: 'ContractError',
      code: 'STOCK_INSUFFICIENT',
      httpStatus: 409,
      metadata: { left: '3' },
    });
    expect(await caught(client.getByID({ id: 987654 }))).toMatchObject({ code: 'STOCK_NOT_FOUND' });
    const violations = [{ field: 'id', rule: 'uint64.gt', description: 'must be greater than 0' }];
    expect(await caught(client.getByID({ id: 0 }))).toMatchObject({ code: 'INVALID_PARAMETER', violations });
    expect(await caught(client.stockDeduct({ productID: 2, productCount: 1, saleID: 0 }))).toMatchObject({
      code: 'INTERNAL',
    });
  });

  test('one line per call at level info, without its body', async () => {
    await deduct(31337, { request_id: 'line-1' });
    const own = lines.map((line) => JSON.parse(line)).filter(({ requestID }) => requestID === 'line-1');
    expect(own).toEqual([
      expect.objectContaining({ level: 'info', rpc: '/api.stock.v1.stock/StockDeduct', code: 0, msg: 'grpc' }),
    ]);
    expect(JSON.stringify(own)).not.toContain('31337');
  });

  test('many violations are cut to what fits into trailers', async () => {
    const columns = Array.from({ length: 30 }, () => ({ name: 'nope', exp: 'nope', value: '', logic: 'nope' }));
    const error = await caught(client.list({ params: { page: 0, limit: 1, sort: '', columns } }));
    expect(error).toMatchObject({ code: 'INVALID_PARAMETER' });
    expect((error as { violations: unknown[] }).violations.length).toBeGreaterThan(10);
  });
});
