import { barrierIdsMigration, barrierMigration } from '@eshop/nest-dtm/mysql';
import { CONFIG } from '@eshop/nest-service';
import { KafkaModule } from '@eshop/nest-service/kafka';
import { MysqlModule } from '@eshop/nest-service/mysql';
import { CouponClientModule } from '@eshop/proto/coupon';
import { ProductClientModule } from '@eshop/proto/product';
import { Module } from '@nestjs/common';
import type { OrderConfig } from './config.js';
import { CreateOrderRecord1700000000001 } from './migrations/1700000000001-create-order-record.js';
import { CreateOrderSubmission1700000000002 } from './migrations/1700000000002-create-order-submission.js';
import { AddSaleAndQueue1700000000003 } from './migrations/1700000000003-add-sale-and-queue.js';
import { OrderIDsByBytes1700000000005 } from './migrations/1700000000005-order-ids-by-bytes.js';
import { IdempotencyKeyOfUser1700000000010 } from './migrations/1700000000010-idempotency-key-of-user.js';
import { OrderController } from './order/order.controller.js';
import { Order } from './order/order.entity.js';
import { OrderBook } from './order/order-book.js';
import { OrderRecords } from './order/order-records.js';
import { OrderSagaController } from './order/order-saga.controller.js';
import { OrderDtmModule } from './order-dtm.module.js';
import { OrderConsumer } from './queue/order-consumer.js';
import { Pace } from './queue/pace.js';
import { QueuedOrders } from './queue/queued-orders.js';
import { QueuedSubmit } from './queue/queued-submit.js';
import { Endings } from './submission/endings.js';
import { OrderPlacement } from './submission/order-placement.js';
import { OrderSagas } from './submission/order-saga.js';
import { OrderState } from './submission/order-state.js';
import { Pricing } from './submission/pricing.js';
import { ProductPrices } from './submission/product-prices.js';
import { Repeats } from './submission/repeats.js';
import { SaleOrders } from './submission/sale-orders.js';
import { SaleUnits } from './submission/sale-units.js';
import { SubmissionStore } from './submission/submission.store.js';
import { SubmissionRelay } from './submission/submission-relay.js';

@Module({
  imports: [
    MysqlModule.forRoot({
      entities: [Order],
      migrations: [
        barrierMigration,
        barrierIdsMigration,
        CreateOrderRecord1700000000001,
        CreateOrderSubmission1700000000002,
        AddSaleAndQueue1700000000003,
        OrderIDsByBytes1700000000005,
        IdempotencyKeyOfUser1700000000010,
      ],
    }),
    OrderDtmModule,
    KafkaModule,
    ProductClientModule,
    CouponClientModule,
  ],
  controllers: [OrderController, OrderSagaController],
  providers: [
    OrderRecords,
    OrderBook,
    ProductPrices,
    Pricing,
    SubmissionStore,
    OrderSagas,
    SaleUnits,
    Endings,
    OrderPlacement,
    SubmissionRelay,
    OrderState,
    SaleOrders,
    Repeats,
    QueuedSubmit,
    QueuedOrders,
    {
      provide: Pace,
      inject: [CONFIG],
      useFactory: ({ order }: OrderConfig) => new Pace(order.queueRunning, order.queueRunningBusy),
    },
    OrderConsumer,
  ],
})
export class AppModule {}
