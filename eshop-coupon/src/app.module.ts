import { barrierIdsMigration, barrierMigration } from '@eshop/nest-dtm/mysql';
import { MysqlModule } from '@eshop/nest-service/mysql';
import { Module } from '@nestjs/common';
import { BranchModule } from './branch.module.js';
import { Coupon } from './coupon/coupon.entity.js';
import { CouponModule } from './coupon/coupon.module.js';
import { CreateCoupon1700000000001 } from './migrations/1700000000001-create-coupon.js';
import { CouponVersion1700000000002 } from './migrations/1700000000002-coupon-version.js';
import { OrderIDsByBytes1700000000003 } from './migrations/1700000000003-order-ids-by-bytes.js';

@Module({
  imports: [
    MysqlModule.forRoot({
      entities: [Coupon],
      migrations: [
        barrierMigration,
        barrierIdsMigration,
        CreateCoupon1700000000001,
        CouponVersion1700000000002,
        OrderIDsByBytes1700000000003,
      ],
    }),
    BranchModule,
    CouponModule,
  ],
})
export class AppModule {}
