import { DtmCaller } from '@eshop/nest-dtm/testing';
import { type Answer, send, startTestService, type TestService } from '@eshop/nest-service/testing';
import type { CallOptions } from '@eshop/proto';
import { CouponClient, couponClientContract, couponContract } from '@eshop/proto/coupon';
import { AppModule } from '../src/app.module.js';
import { configSchema } from '../src/config.js';

/** The service on free ports, with a database of its own on the server that TEST_MYSQL_URL names. */
export async function startCoupon(): Promise<Started> {
  const service = await startTestService(AppModule, { contract: couponContract, config: configSchema });
  const dtm = new DtmCaller({ signature: { keys: [{ id: 'k1', secret: service.config.dtm.secret }] } });
  return {
    service,
    grpc: dtm.signing(service.client<CouponClient>(couponClientContract), couponClientContract.definition),
    branch: (gid, op) => ({ metadata: dtm.metadata({ gid, op, branchId: '02' }) }),
    http: async (method, path, body) => {
      const answer = await send(method, `${service.http}/api/v1/coupon${path}`, body);
      return { status: answer.status, ...answer.body };
    },
  };
}

export interface Started {
  service: TestService<typeof configSchema>;
  grpc: CouponClient;
  /** The metadata with which DTM calls a branch of a saga that our order service has submitted; `grpc` adds the signature. */
  branch(gid: string, op: 'action' | 'compensate'): CallOptions;
  /** A call of the service's own HTTP API, below /api/v1/coupon. */
  http(method: string, path: string, body?: unknown): Promise<Answer['body'] & { status: number }>;
}
