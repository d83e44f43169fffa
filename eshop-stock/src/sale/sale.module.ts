import { FlashSaleClientModule } from '@eshop/proto/flashsale';
import { Module } from '@nestjs/common';
import { FlashSaleService } from './flash-sale.service.js';
import { SaleBooks } from './sale-books.js';
import { SaleChanges } from './sale-changes.js';

@Module({
  imports: [FlashSaleClientModule],
  providers: [SaleBooks, SaleChanges, FlashSaleService],
  exports: [SaleBooks, FlashSaleService],
})
export class SaleModule {}
