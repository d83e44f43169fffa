import { DtmModule, DtmService, httpBranch, newGid, type SubmitResult } from '@eshop/nest-dtm';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { env, signature } from '../env.js';
import type { Booking } from './bank.js';

/** What a client asks for. */
export interface Transfer {
  from: string;
  to: string;
  cents: number;
}

/** Starts the service that moves money between accounts at the bank. */
export async function startTransfers(
  port: number,
  bankUrl: string,
): Promise<{ close(): Promise<void>; transfer(transfer: Transfer): Promise<SubmitResult> }> {
  const at = (path: string) => httpBranch<Booking>(`${bankUrl}/${path}`);
  const bank = {
    withdraw: at('withdraw'),
    withdrawRevert: at('withdraw-revert'),
    deposit: at('deposit'),
    depositRevert: at('deposit-revert'),
  };

  @Controller()
  class Transfers {
    constructor(private readonly dtm: DtmService) {}

    @Post('transfer')
    transfer(@Body() { from, to, cents }: Transfer): Promise<SubmitResult> {
      return this.dtm
        .saga(newGid())
        .step(bank.withdraw, bank.withdrawRevert, { account: from, cents })
        .step(bank.deposit, bank.depositRevert, { account: to, cents })
        .submit({ fresh: true, waitResult: true });
    }
  }

  @Module({
    imports: [DtmModule.forRoot({ servers: { default: { grpc: env.dtmGrpc, http: env.dtmHttp } }, signature })],
    controllers: [Transfers],
  })
  class TransfersModule {}

  const app = await NestFactory.create<NestFastifyApplication>(TransfersModule, new FastifyAdapter(), {
    logger: ['warn'],
  });
  await app.listen(port, '127.0.0.1');
  return {
    transfer: async (transfer) => {
      const response = await fetch(`http://127.0.0.1:${port}/transfer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(transfer),
      });
      return (await response.json()) as SubmitResult;
    },
    close: () => app.close(),
  };
}
