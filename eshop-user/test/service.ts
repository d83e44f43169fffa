import type { ServiceOptions } from '@eshop/nest-service';
import { startTestService, type TestService } from '@eshop/nest-service/testing';
import { UserClient, userClientContract, userContract } from '@eshop/proto/user';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';

/** The service on free ports, with a database of its own on the server that TEST_MYSQL_URL names. */
export async function startUser(
  options: Pick<ServiceOptions<typeof configSchema>, 'logStream' | 'overrides'> = {},
): Promise<Started> {
  const service = await startTestService(AppModule, { contract: userContract, config: configSchema, ...options });
  return {
    service,
    grpc: service.client<UserClient>(userClientContract),
    http: async (method, path, body) => {
      const response = await fetch(`${service.http}/api/v1/user${path}`, {
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
  grpc: UserClient;
  /** A call of the service's own HTTP API, below /api/v1/user; `text` is the body as it came. */
  http(method: string, path: string, body?: unknown): Promise<Envelope & { status: number; text: string }>;
}
