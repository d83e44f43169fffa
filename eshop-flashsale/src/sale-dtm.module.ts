import { DtmModule } from '@eshop/nest-dtm';
import { redisBarrier } from '@eshop/nest-dtm/redis';
import { CONFIG } from '@eshop/nest-service';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Config } from './config.js';

/** DTM as this service needs it: it sends the two-phase messages of purchases, and serves branches that change counters. */
@Module({
  imports: [
    DtmModule.forRootAsync({
      inject: [CONFIG, Redis],
      useFactory: ({ dtm, branches }: Config, redis: Redis) => ({
        servers: { default: { grpc: dtm.grpc, http: dtm.http } },
        branches: { [flashSaleContract.fullName]: branches.flashSale },
        signature: { keys: [{ id: 'k1', secret: dtm.secret }] },
        barrier: redisBarrier(redis),
      }),
    }),
  ],
})
export class SaleDtmModule {}
