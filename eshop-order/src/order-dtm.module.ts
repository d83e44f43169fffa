import { DtmModule } from '@eshop/nest-dtm';
import { mysqlBarrier } from '@eshop/nest-dtm/mysql';
import { CONFIG } from '@eshop/nest-service';
import { couponContract } from '@eshop/proto/coupon';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { orderContract } from '@eshop/proto/order';
import { payContract } from '@eshop/proto/pay';
import { stockContract } from '@eshop/proto/stock';
import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { OrderConfig } from './config.js';

/** DTM as this service needs it: it starts the order sagas, and serves one of their branches. */
@Module({
  imports: [
    DtmModule.forRootAsync({
      inject: [CONFIG, DataSource],
      useFactory: ({ dtm, branches }: OrderConfig, dataSource: DataSource) => ({
        servers: { default: { grpc: dtm.grpc, http: dtm.http } },
        branches: {
          [orderContract.fullName]: branches.order,
          [stockContract.fullName]: branches.stock,
          [couponContract.fullName]: branches.coupon,
          [payContract.fullName]: branches.pay,
          [flashSaleContract.fullName]: branches.flashSale,
        },
        signature: { keys: [{ id: 'k1', secret: dtm.secret }] },
        barrier: mysqlBarrier(dataSource, { groupSize: 16 }),
      }),
    }),
  ],
})
export class OrderDtmModule {}
