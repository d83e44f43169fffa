import { startTestService, type TestService } from '@eshop/nest-service/testing';
import { ProductClient, productClientContract, productContract } from '@eshop/proto/product';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';

/** The service on free ports, with a database of its own on the server that TEST_MYSQL_URL names. */
export async function startProduct(): Promise<Started> {
  const service = await startTestService(AppModule, { contract: productContract, config: configSchema });
  return {
    service,
    grpc: service.client<ProductClient>(productClientContract),
    http: async (method, path, body) => {
      const response = await fetch(`${service.http}/api/v1/product${path}`, {
        method,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, text, ...(JSON.parse(text) as Envelope) };
    },
  };
}

export interface Envelope {
  code: number;
  msg: string;
  data: Record<string, unknown>;
  violations?: { field: string; rule: string }[];
}

export interface Started {
  service: TestService<typeof configSchema>;
  grpc: ProductClient;
  /** A call of the service's own HTTP API, below /api/v1/product; `text` is the body as it came. */
  http(method: string, path: string, body?: unknown): Promise<Envelope & { status: number; text: string }>;
}
