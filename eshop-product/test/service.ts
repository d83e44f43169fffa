import { type Answer, send, startTestService, type TestService } from '@eshop/nest-service/testing';
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
      const answer = await send(method, `${service.http}/api/v1/product${path}`, body);
      return { status: answer.status, ...answer.body };
    },
  };
}

export interface Started {
  service: TestService<typeof configSchema>;
  grpc: ProductClient;
  /** A call of the service's own HTTP API, below /api/v1/product. */
  http(method: string, path: string, body?: unknown): Promise<Answer['body'] & { status: number }>;
}
