import { CouponClientModule } from '@eshop/proto/coupon';
import { FlashSaleClientModule } from '@eshop/proto/flashsale';
import { OrderClientModule } from '@eshop/proto/order';
import { PayClientModule } from '@eshop/proto/pay';
import { ProductClientModule } from '@eshop/proto/product';
import { StockClientModule } from '@eshop/proto/stock';
import { UserClientModule } from '@eshop/proto/user';
import { Module } from '@nestjs/common';
import { GatewayController } from './gateway/gateway.controller.js';
import { OrderLookup } from './gateway/order-lookup.js';
import { SoldOut } from './gateway/sold-out.js';

@Module({
  imports: [
    UserClientModule,
    ProductClientModule,
    OrderClientModule,
    StockClientModule,
    CouponClientModule,
    PayClientModule,
    FlashSaleClientModule,
  ],
  controllers: [GatewayController],
  providers: [OrderLookup, SoldOut],
})
export class AppModule {}
