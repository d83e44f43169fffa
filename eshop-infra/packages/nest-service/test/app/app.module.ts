import { Module } from '@nestjs/common';
import { z } from 'zod';
import { MysqlModule, mysqlSection } from '../../src/mysql/index.js';
import { migrations } from './migrations.js';
import { Note } from './note.entity.js';
import { FaultController, Probe, StockController } from './stock.controllers.js';
import { Stock } from './stock.entity.js';

export const AppConfig = z.object({ mysql: mysqlSection });

@Module({
  imports: [MysqlModule.forRoot({ entities: [Stock, Note], migrations })],
  controllers: [StockController, FaultController],
  providers: [Probe],
})
export class AppModule {}
