import { DtmCaller } from '@eshop/nest-dtm/testing';
import { type Answer, send, startTestService, type TestService } from '@eshop/nest-service/testing';
import type { CallOptions } from '@eshop/proto';
import { PayClient, payClientContract, payContract } from '@eshop/proto/pay';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';

/** The service on free ports, with a database of its own on the server that TEST_MYSQL_URL names. */
export async function startPay(): Promise<Started> {
  const service = await startTestService(AppModule, { contract: payContract, config: configSchema });
  const dtm = new DtmCaller({ signature: { keys: [{ id: 'k1', secret: service.config.dtm.secret }] } });
  return {
    service,
    grpc: dtm.signing(service.client<PayClient>(payClientContract), payClientContract.definition),
    branch: (gid, op) => ({ metadata: dtm.metadata({ gid, op, branchId: '02' }) }),
    http: async (method, path, body) => {
      const answer = await send(method, `${service.http}/api/v1/pay${path}`, body);
      return { status: answer.status, ...answer.body };
    },
  };
}

export interface Started {
  service: TestService<typeof configSchema>;
  grpc: PayClient;
  /** The metadata with which DTM calls a branch of a saga that our order service has submitted; `grpc` adds the signature. */
  branch(gid: string, op: 'action' | 'compensate'): CallOptions;
  /** A call of the service's own HTTP API, below /api/v1/pay. */
  http(method: string, path: string, body?: unknown): Promise<Answer['body'] & { status: number }>;
}
