import type { ServiceOptions } from '@eshop/nest-service';
import { type Answer, send, startTestService, type TestService } from '@eshop/nest-service/testing';
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
      const answer = await send(method, `${service.http}/api/v1/user${path}`, body);
      return { status: answer.status, ...answer.body };
    },
  };
}

export interface Started {
  service: TestService<typeof configSchema>;
  grpc: UserClient;
  /** A call of the service's own HTTP API, below /api/v1/user. */
  http(method: string, path: string, body?: unknown): Promise<Answer['body'] & { status: number }>;
}
