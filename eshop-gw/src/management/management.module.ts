import { CouponClientModule } from '@eshop/proto/coupon';
import { OrderClientModule } from '@eshop/proto/order';
import { PayClientModule } from '@eshop/proto/pay';
import { ProductClientModule } from '@eshop/proto/product';
import { StockClientModule } from '@eshop/proto/stock';
import { UserClientModule } from '@eshop/proto/user';
import { Module } from '@nestjs/common';
import { ManagementController } from './management.controller.js';

@Module({
  imports: [
    UserClientModule,
    ProductClientModule,
    OrderClientModule,
    StockClientModule,
    CouponClientModule,
    PayClientModule,
  ],
  controllers: [ManagementController],
})
export class ManagementModule {}
