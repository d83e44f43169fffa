// A saga over HTTP with a branch under the MySQL barrier and one under the Redis barrier: it succeeds, and it is refused.
import 'reflect-metadata';
import { deepEqual, match } from 'node:assert/strict';
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
import { LocalTransaction, mysqlBarrier } from '@eshop/nest-dtm/mysql';
import { adjustAmount, RedisTransaction, redisBarrier } from '@eshop/nest-dtm/redis';
import { transactionEnd } from '@eshop/nest-dtm/testing';
import { throwAwayDatabase } from '@eshop/nest-dtm/testing/mysql';
import { Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { Adapter } from './adapter.js';
import { environment } from './environment.js';

interface Order {
  account: string;
  cents: number;
  units: string;
}

const at = (path: string) => httpBranch<Order>(`http://127.0.0.1:${environment.port}/${path}`);
const Payment = compensable(at('pay'), at('pay-back'));
const Deduction = compensable(at('take'), at('give-back'));

@Injectable()
class Accounts {
  constructor(private readonly tx: LocalTransaction) {}

  async add(cents: number, account: string): Promise<void> {
    const { affectedRows } = await this.tx.execute(
      'UPDATE account SET cents = cents + ? WHERE id = ? AND cents + ? >= 0',
      [cents, account, cents],
    );
    if (affectedRows === 0) throw new Refusal('not enough money');
  }
}

@Controller()
@DtmBranches({ barrier: 'mysql' })
class PaymentController {
  constructor(private readonly accounts: Accounts) {}

  @DtmAction(Payment)
  @Post('pay')
  pay(@Body() { account, cents }: Order): Promise<void> {
    return this.accounts.add(-cents, account);
  }

  @DtmCompensation(Payment)
  @Post('pay-back')
  payBack(@Body() { account, cents }: Order): Promise<void> {
    return this.accounts.add(cents, account);
  }
}

@Controller()
@DtmBranches({ barrier: 'redis' })
class StockController {
  constructor(private readonly redis: RedisTransaction) {}

  @DtmAction(Deduction)
  @Post('take')
  take(@Body() { units }: Order): Promise<number> {
    return this.redis.run(adjustAmount(units, -1));
  }

  @DtmCompensation(Deduction)
  @Post('give-back')
  giveBack(@Body() { units }: Order): Promise<number> {
    return this.redis.run(adjustAmount(units, 1));
  }
}

function shop(dataSource: DataSource, redis: Redis) {
  @Module({
    imports: [
      DtmModule.forRoot({
        servers: { default: { http: environment.dtmHttp, protocol: 'http' } },
        signature: { keys: [{ id: 'k1', secret: 'the secret of the matrix' }] },
        barrier: { mysql: mysqlBarrier(dataSource), redis: redisBarrier(redis) },
        branchSyncCheck: false,
      }),
    ],
    controllers: [PaymentController, StockController],
    providers: [Accounts],
  })
  class ShopModule {}
  return ShopModule;
}

async function main(): Promise<void> {
  const { dataSource, drop } = await throwAwayDatabase(environment.mysqlUrl, { poolSize: 4 });
  await dataSource.query('CREATE TABLE account (id varchar(16) PRIMARY KEY, cents int NOT NULL)');
  await dataSource.query("INSERT INTO account VALUES ('alice', 100)");
  const redis = new Redis(environment.redisUrl);
  const units = `{${newGid()}}`;
  await redis.set(units, 1, 'EX', 600);
  const app = await NestFactory.create(shop(dataSource, redis), new Adapter(), { logger: ['error', 'warn'] });
  await app.listen(environment.port, '127.0.0.1');
  const dtm = app.get(DtmService);
  const left = async () => {
    const rows: { cents: number }[] = await dataSource.query('SELECT cents FROM account');
    return { cents: rows[0]?.cents, units: await redis.get(units) };
  };
  const buy = async () => {
    const gid = `${units}-${newGid()}`;
    const order = { account: 'alice', cents: 30, units };
    await dtm.saga(gid).step(Payment, order).step(Deduction, order).submit({ fresh: true });
    return transactionEnd(dtm, gid);
  };
  try {
    deepEqual((await buy()).status, 'succeed');
    deepEqual(await left(), { cents: 70, units: '0' });
    const { status, rollbackReason } = await buy();
    deepEqual(status, 'failed');
    match(rollbackReason, /not enough of/);
    deepEqual(await left(), { cents: 70, units: '0' });
  } finally {
    await app.close();
    await redis.quit();
    await drop();
  }
}

void main();
