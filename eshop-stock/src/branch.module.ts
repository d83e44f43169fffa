import { DtmModule } from '@eshop/nest-dtm';
import { mysqlBarrier } from '@eshop/nest-dtm/mysql';
import { CONFIG } from '@eshop/nest-service';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { stockContract } from '@eshop/proto/stock';
import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Config } from './config.js';

/** DTM as this service needs it: it serves branches, and starts the sagas that change flash sales. */
@Module({
  imports: [
    DtmModule.forRootAsync({
      inject: [CONFIG, DataSource],
      useFactory: ({ dtm, branches }: Config, dataSource: DataSource) => ({
        servers: { default: { grpc: dtm.grpc, http: dtm.http } },
        branches: { [stockContract.fullName]: branches.stock, [flashSaleContract.fullName]: branches.flashSale },
        signature: { keys: [{ id: 'k1', secret: dtm.secret }] },
        barrier: mysqlBarrier(dataSource, { groupSize: 16 }),
      }),
    }),
  ],
})
export class BranchModule {}
