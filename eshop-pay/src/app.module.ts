import { barrierMigration } from '@eshop/nest-dtm/mysql';
import { MysqlModule } from '@eshop/nest-service/mysql';
import { Module } from '@nestjs/common';
import { BranchModule } from './branch.module.js';
import { CreatePay1700000000001 } from './migrations/1700000000001-create-pay.js';
import { Pay } from './pay/pay.entity.js';
import { PayModule } from './pay/pay.module.js';

@Module({
  imports: [
    MysqlModule.forRoot({ entities: [Pay], migrations: [barrierMigration, CreatePay1700000000001] }),
    BranchModule,
    PayModule,
  ],
})
export class AppModule {}
