import {
  DtmModule,
  DtmService,
  DtmWorkflow,
  DtmWorkflowCallback,
  httpBranch,
  Refusal,
  type Workflow,
} from '@eshop/nest-dtm';
import { barrierMigration, LocalTransaction, mysqlBarrier, workflowMigration } from '@eshop/nest-dtm/mysql';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { env, signature } from '../env.js';
import type { Booking } from '../saga/bank.js';

/** What a client asks for. */
export interface Purchase {
  buyer: string;
  cents: number;
}

/** What a buyer gets. */
export interface Ticket {
  seat: number;
}

/** Starts the service that sells seats; the money is at the bank. */
export async function startSeats(
  port: number,
  bankUrl: string,
): Promise<{ close(): Promise<void>; buy(id: string, purchase: Purchase): Promise<string>; left(): Promise<number> }> {
  const dataSource = await new DataSource({
    type: 'mysql',
    url: `${env.mysqlUrl}/${env.mysqlDatabase}`,
    migrations: [barrierMigration, workflowMigration],
  }).initialize();
  await dataSource.runMigrations();
  await dataSource.query('CREATE TABLE IF NOT EXISTS seat (id int PRIMARY KEY, buyer varchar(64) NULL)');
  await dataSource.query('REPLACE INTO seat VALUES (1, NULL), (2, NULL)');
  const pay = httpBranch<Booking>(`${bankUrl}/withdraw`);
  const payBack = httpBranch<Booking>(`${bankUrl}/withdraw-revert`);

  @DtmWorkflow('buy-seat')
  class BuySeat {
    constructor(private readonly tx: LocalTransaction) {}

    async run(workflow: Workflow, { buyer, cents }: Purchase): Promise<Ticket> {
      const seat = await workflow.local(
        'take a seat',
        async () => {
          const [free] = await this.tx.query<{ id: number }>(
            'SELECT id FROM seat WHERE buyer IS NULL ORDER BY id LIMIT 1 FOR UPDATE',
          );
          if (!free) throw new Refusal('sold out');
          await this.tx.execute('UPDATE seat SET buyer = ? WHERE id = ?', [buyer, free.id]);
          return free.id;
        },
        async (taken) => {
          await this.tx.execute('UPDATE seat SET buyer = NULL WHERE id = ?', [taken]);
        },
      );
      await workflow.branch(pay, payBack, { account: buyer, cents });
      return { seat };
    }
  }

  @Controller()
  class Seats {
    constructor(private readonly dtm: DtmService) {}

    @Post('buy')
    async buy(@Body() { id, ...purchase }: Purchase & { id: string }): Promise<{ answer: string }> {
      try {
        const { value, repeat } = await this.dtm.workflow(id, BuySeat, purchase);
        return { answer: `seat ${value?.seat}${repeat ? ', as said before' : ''}` };
      } catch (error) {
        if (error instanceof Refusal) return { answer: `refused (${error.message})` };
        throw error;
      }
    }

    @DtmWorkflowCallback()
    @Post('resume')
    resume(): void {}
  }

  @Module({
    imports: [
      DtmModule.forRoot({
        servers: { default: { grpc: env.dtmGrpc, http: env.dtmHttp } },
        signature,
        barrier: mysqlBarrier(dataSource),
        workflowCallback: httpBranch(`http://127.0.0.1:${port}/resume`),
      }),
    ],
    controllers: [Seats],
    providers: [BuySeat],
  })
  class SeatsModule {}

  const app = await NestFactory.create<NestFastifyApplication>(SeatsModule, new FastifyAdapter(), { logger: ['warn'] });
  await app.listen(port, '127.0.0.1');
  return {
    buy: async (id, purchase) => {
      const response = await fetch(`http://127.0.0.1:${port}/buy`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, ...purchase }),
      });
      return ((await response.json()) as { answer: string }).answer;
    },
    left: async () => (await dataSource.query('SELECT 1 FROM seat WHERE buyer IS NULL')).length,
    close: async () => {
      await app.close();
      await dataSource.destroy();
    },
  };
}
