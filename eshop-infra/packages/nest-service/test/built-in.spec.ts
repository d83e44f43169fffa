import { codes } from '@eshop/proto';
import { stockContract } from '@eshop/proto/stock';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Module } from '@nestjs/common';
import type { z } from 'zod';
import { Readiness, type ServiceConfig } from '../src/index.js';
import { startTestService, type TestService } from '../src/testing/index.js';
import { send } from '../src/testing/send.js';
import { AppConfig, AppModule } from './app/app.module.js';
import { rawCall } from './support/raw-call.js';
import { ask, reflect as reflectAt } from './support/reflect.js';

let service: TestService<z.ZodObject>;
const failing = new Set<string>();
beforeAll(async () => {
  service = await startTestService(AppModule, { contract: stockContract, config: AppConfig });
  service.app.get(Readiness).register({
    name: 'extra',
    check: async () => {
      if (failing.has('extra')) throw Object.assign(new Error('at 10.0.0.7'), { code: 'EGONE' });
    },
  });
});
afterAll(() => service?.close());

const get = (path: string) => fetch(service.http + path);
const health = (name: string) =>
  rawCall(service.grpcAddress, '/grpc.health.v1.Health/Check', Buffer.from([10, name.length, ...Buffer.from(name)]));

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const reflect = (version: string, questions: Buffer[]) => reflectAt(service.grpcAddress, version, questions);

describe('what every service has', () => {
  test('/health, /ping, /codes, /config', async () => {
    expect(await (await get('/health')).json()).toEqual({ status: 'UP', hostname: expect.any(String) });
    expect(await (await get('/ping')).json()).toEqual({});
    const { body } = await send('GET', `${service.http}/codes`);
    expect(body.data).toHaveLength(Object.keys(codes).length);
    expect(body.data).toContainEqual(
      expect.objectContaining({ name: 'STOCK_NOT_FOUND', httpStatus: 404, grpcStatus: 5 }),
    );
    const config = await (await get('/config')).text();
    expect(JSON.parse(config)).toMatchObject({ mysql: { password: '***' } });
  });

  test('what only some settings want: /config, and modules', async () => {
    const seen: boolean[] = [];
    @Module({})
    class WantedModule {
      constructor() {
        seen.push(true);
      }
    }
    const modules = ({ http }: ServiceConfig) => (http.showConfig ? [] : [WantedModule]);
    const overrides = { http: { showConfig: false } };
    const other = await startTestService(AppModule, { contract: stockContract, config: AppConfig, modules, overrides });
    expect((await fetch(`${other.http}/config`)).status).toBe(404);
    expect(seen).toEqual([true]);
    await other.close();
  });

  test('readiness looks at what is registered, on HTTP and gRPC', async () => {
    const ready = await get('/ready');
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true, checks: { mysql: { status: 'up' }, extra: { status: 'up' } } });
    expect((await health('api.stock.v1.stock')).reply).toEqual(Buffer.from([8, 1]));

    failing.add('extra');
    await until(async () => (await get('/ready')).status === 503);
    const report = await (await get('/ready')).json();
    expect(report).toMatchObject({ ready: false, checks: { extra: { status: 'down', reason: 'EGONE' } } });
    expect(JSON.stringify(report)).not.toContain('10.0.0.7');
    const whole = await health('');
    expect(whole).toMatchObject({ error: null, reply: Buffer.from([8, 2]) });
    expect((await get('/health')).status).toBe(200);

    failing.clear();
    await until(async () => (await get('/ready')).status === 200);
    expect((await health('nobody')).error?.code).toBe(5);
  });

  test('reflection lists the services and knows their files, v1 and v1alpha', async () => {
    for (const version of ['v1', 'v1alpha']) {
      const [list, symbol, method, file, unknown] = await reflect(version, [
        ask(7, ''),
        ask(4, 'api.stock.v1.stock'),
        ask(4, 'api.stock.v1.stock.Create'),
        ask(3, 'api/types/types.proto'),
        ask(4, 'api.nothing'),
      ]);
      expect(String(list)).toContain('api.stock.v1.stock');
      expect(String(symbol)).toContain('StockDeductRequest');
      expect(String(method)).toContain('StockDeductRequest');
      expect(String(file)).toContain('api.types');
      expect(unknown).toContain(5);
    }
  });

  test('metrics of requests on both transports', async () => {
    await send('GET', `${service.http}/api/v1/stock/424242`);
    await rawCall(service.grpcAddress, '/api.stock.v1.stock/GetByID', new Uint8Array());
    const text = await (await get('/metrics')).text();
    expect(text).toMatch(
      /http_server_duration_seconds_count\{service="stock",method="GET",route="\/api\/v1\/stock\/:id",status="404"\} 1/,
    );
    expect(text).toMatch(
      /grpc_server_duration_seconds_count\{service="stock",rpc_service="api.stock.v1.stock",method="GetByID",code="3"\} 1/,
    );
    expect(text).toContain('process_resident_memory_bytes{service="stock"}');
  });

  test('Swagger: page, its files, document with named schemas and the envelope', async () => {
    const page = await get('/apis/swagger/index.html');
    expect(page.headers.get('content-type')).toContain('text/html');
    const html = await page.text();
    for (const [, file] of html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
      expect((await get(`/apis/swagger/${file}`)).status).toBe(200);
    }
    expect((await get('/apis/swagger/swagger-ui-bundle.js')).headers.get('content-type')).toContain('javascript');
    expect((await fetch(`${service.http}/apis/swagger`)).url).toMatch(/index\.html$/);
    const document = (await (await get('/apis/swagger.json')).json()) as {
      info: object;
      paths: Record<string, object>;
      components: { schemas: object };
    };
    expect(document.info).toMatchObject({ title: stockContract.title });
    expect(Object.keys(document.paths)).toContain('/api/v1/stock/{id}');
    expect(Object.keys(document.components.schemas)).toContain('CreateStockRequest');
  });
});
