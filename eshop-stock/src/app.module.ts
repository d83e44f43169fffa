import { barrierIdsMigration, barrierMigration } from '@eshop/nest-dtm/mysql';
import { MysqlModule } from '@eshop/nest-service/mysql';
import { Module } from '@nestjs/common';
import { BranchModule } from './branch.module.js';
import { CreateStock1700000000001 } from './migrations/1700000000001-create-stock.js';
import { CreateFlashSale1700000000002 } from './migrations/1700000000002-create-flash-sale.js';
import { FlashSale } from './sale/flash-sale.entity.js';
import { Stock } from './stock/stock.entity.js';
import { StockModule } from './stock/stock.module.js';

@Module({
  imports: [
    MysqlModule.forRoot({
      entities: [Stock, FlashSale],
      migrations: [barrierMigration, barrierIdsMigration, CreateStock1700000000001, CreateFlashSale1700000000002],
    }),
    BranchModule,
    StockModule,
  ],
})
export class AppModule {}
