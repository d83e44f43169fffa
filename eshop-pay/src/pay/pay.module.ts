import { Module } from '@nestjs/common';
import { PayController } from './pay.controller.js';
import { PayService } from './pay.service.js';
import { PayLedger } from './pay-ledger.js';
import { PaySagaController } from './pay-saga.controller.js';

@Module({ controllers: [PayController, PaySagaController], providers: [PayService, PayLedger] })
export class PayModule {}
