import { barrierIdsMigration, barrierMigration } from '@eshop/nest-dtm/mysql';
import { MysqlModule } from '@eshop/nest-service/mysql';
import { Module } from '@nestjs/common';
import { BranchModule } from './branch.module.js';
import { CreatePay1700000000001 } from './migrations/1700000000001-create-pay.js';
import { OrderIDsByBytes1700000000002 } from './migrations/1700000000002-order-ids-by-bytes.js';
import { Pay } from './pay/pay.entity.js';
import { PayModule } from './pay/pay.module.js';

@Module({
  imports: [
    MysqlModule.forRoot({
      entities: [Pay],
      migrations: [barrierMigration, barrierIdsMigration, CreatePay1700000000001, OrderIDsByBytes1700000000002],
    }),
    BranchModule,
    PayModule,
  ],
})
export class AppModule {}
