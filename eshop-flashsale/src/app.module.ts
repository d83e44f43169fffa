import { KafkaModule } from '@eshop/nest-service/kafka';
import { OrderClientModule } from '@eshop/proto/order';
import { StockClientModule } from '@eshop/proto/stock';
import { Module } from '@nestjs/common';
import { FlashSaleController } from './flash-sale.controller.js';
import { Idempotency } from './purchase/idempotency.js';
import { OrderQueueController } from './purchase/order-queue.controller.js';
import { Purchases } from './purchase/purchases.js';
import { RedisModule } from './redis/redis.module.js';
import { SaleCounters } from './sale/sale-counters.js';
import { SaleRebuild } from './sale/sale-rebuild.js';
import { SaleSagaController } from './sale/sale-saga.controller.js';
import { SaleDtmModule } from './sale-dtm.module.js';

@Module({
  imports: [RedisModule, SaleDtmModule, KafkaModule, StockClientModule, OrderClientModule],
  controllers: [FlashSaleController, SaleSagaController, OrderQueueController],
  providers: [SaleCounters, SaleRebuild, Idempotency, Purchases],
})
export class AppModule {}
