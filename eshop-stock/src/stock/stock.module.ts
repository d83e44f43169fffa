import { Module } from '@nestjs/common';
import { SaleModule } from '../sale/sale.module.js';
import { StockController } from './stock.controller.js';
import { StockService } from './stock.service.js';
import { StockLedger } from './stock-ledger.js';
import { StockSagaController } from './stock-saga.controller.js';

@Module({
  imports: [SaleModule],
  controllers: [StockController, StockSagaController],
  providers: [StockService, StockLedger],
})
export class StockModule {}
