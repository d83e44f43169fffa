// A saga over HTTP where nothing that is optional is installed: it succeeds, and it is refused.
import 'reflect-metadata';
import { deepEqual, match, throws } from 'node:assert/strict';
import {
  compensable,
  DtmAction,
  DtmBranches,
  DtmCompensation,
  DtmModule,
  DtmService,
  httpBranch,
  newGid,
  Refusal,
} from '@eshop/nest-dtm';
import { transactionEnd } from '@eshop/nest-dtm/testing';
import { Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Adapter } from './adapter.js';
import { environment } from './environment.js';

interface Order {
  units: number;
}

const at = (path: string) => httpBranch<Order>(`http://127.0.0.1:${environment.port}/${path}`);
const Deduction = compensable(at('take'), at('give-back'));

@Injectable()
class Shelf {
  units = 3;
}

@Controller()
@DtmBranches({ barrier: false })
class StockController {
  constructor(private readonly shelf: Shelf) {}

  @DtmAction(Deduction)
  @Post('take')
  take(@Body() { units }: Order): void {
    if (this.shelf.units < units) throw new Refusal(`only ${this.shelf.units} left`);
    this.shelf.units -= units;
  }

  @DtmCompensation(Deduction)
  @Post('give-back')
  giveBack(@Body() { units }: Order): void {
    // Of the step that was refused nothing was taken.
    if (units <= 3) this.shelf.units += units;
  }
}

const servers = { default: { http: environment.dtmHttp, protocol: 'http' as const } };
const signature = { keys: [{ id: 'k1', secret: 'the secret of the matrix' }] };

@Module({
  imports: [DtmModule.forRoot({ servers, signature, branchSyncCheck: false })],
  controllers: [StockController],
  providers: [Shelf],
})
class ShopModule {}

async function main(): Promise<void> {
  for (const missing of ['@grpc/grpc-js', '@nestjs/microservices', 'typeorm', 'mysql2', 'ioredis'])
    throws(() => require.resolve(missing), { code: 'MODULE_NOT_FOUND' });
  const app = await NestFactory.create(ShopModule, new Adapter(), { logger: ['error', 'warn'] });
  await app.listen(environment.port, '127.0.0.1');
  const dtm = app.get(DtmService);
  const take = async (...steps: number[]) => {
    const gid = newGid();
    const saga = dtm.saga(gid);
    for (const units of steps) saga.step(Deduction, { units });
    await saga.submit({ fresh: true });
    return transactionEnd(dtm, gid);
  };
  try {
    deepEqual((await take(1)).status, 'succeed');
    deepEqual(app.get(Shelf).units, 2);
    const { status, rollbackReason } = await take(1, 9);
    deepEqual(status, 'failed');
    match(rollbackReason, /only 1 left/);
    deepEqual(app.get(Shelf).units, 2);
  } finally {
    await app.close();
  }
}

void main();
