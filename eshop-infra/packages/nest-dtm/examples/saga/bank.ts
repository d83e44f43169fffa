import { DtmBranches, DtmModule, Refusal } from '@eshop/nest-dtm';
import { LocalTransaction, mysqlBarrier } from '@eshop/nest-dtm/mysql';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import { signature } from '../env.js';
import { database } from './database.js';

/** What both branches and both compensations take. */
export interface Booking {
  account: string;
  cents: number;
}

/** The bank's branches. Each runs at most once in one transaction with its barrier row, whatever DTM or the network do. */
@Controller()
@DtmBranches()
class BankBranches {
  constructor(private readonly tx: LocalTransaction) {}

  @Post('withdraw')
  async withdraw(@Body() { account, cents }: Booking): Promise<void> {
    const { affectedRows } = await this.tx.execute(
      'UPDATE account SET cents = cents - ? WHERE name = ? AND cents >= ?',
      [cents, account, cents],
    );
    if (affectedRows === 0) throw new Refusal(`${account} has not enough`); // rolls the whole saga back
  }

  @Post('withdraw-revert')
  async withdrawRevert(@Body() { account, cents }: Booking): Promise<void> {
    await this.tx.execute('UPDATE account SET cents = cents + ? WHERE name = ?', [cents, account]);
  }

  @Post('deposit')
  async deposit(@Body() { account, cents }: Booking): Promise<void> {
    const { affectedRows } = await this.tx.execute('UPDATE account SET cents = cents + ? WHERE name = ?', [
      cents,
      account,
    ]);
    if (affectedRows === 0) throw new Refusal(`there is no account ${account}`);
  }

  @Post('deposit-revert')
  async depositRevert(@Body() { account, cents }: Booking): Promise<void> {
    await this.tx.execute('UPDATE account SET cents = cents - ? WHERE name = ?', [cents, account]);
  }
}

/** Starts the bank with two accounts; resolves with it and the balance of an account. */
export async function startBank(
  port: number,
): Promise<{ close(): Promise<void>; cents(account: string): Promise<number> }> {
  const dataSource: DataSource = await database();

  @Controller('account')
  class Accounts {
    @Get(':name')
    async find(@Param('name') name: string): Promise<{ cents: number }> {
      const [row] = await dataSource.query('SELECT cents FROM account WHERE name = ?', [name]);
      return row;
    }
  }

  @Module({
    imports: [DtmModule.forRoot({ servers: {}, signature, barrier: mysqlBarrier(dataSource) })],
    controllers: [BankBranches, Accounts],
  })
  class BankModule {}

  const app = await NestFactory.create<NestFastifyApplication>(BankModule, new FastifyAdapter(), { logger: ['warn'] });
  await app.listen(port, '127.0.0.1');
  return {
    cents: async (account) => {
      const response = await fetch(`http://127.0.0.1:${port}/account/${account}`);
      return ((await response.json()) as { cents: number }).cents;
    },
    close: async () => {
      await app.close();
      await dataSource.destroy();
    },
  };
}
