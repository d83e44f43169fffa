import { DtmBackCheck, DtmBranches, DtmModule, DtmService, httpBranch, Refusal } from '@eshop/nest-dtm';
import { RedisTransaction, redisBarrier } from '@eshop/nest-dtm/redis';
import { Body, ConflictException, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { env, signature } from '../env.js';

/** One sold ticket. */
export interface Sale {
  show: string;
  buyer: string;
}

/** Takes a ticket. It looks first and writes last: Redis takes nothing back. */
const TAKE_TICKET = `if tonumber(redis.call('GET', KEYS[1]) or '0') < 1 then return refuse('sold out') end
return redis.call('DECR', KEYS[1])`;

const ADD_GUEST = `return redis.call('RPUSH', KEYS[1], ARGV[1])`;

/** Keys of one show, all in one hash slot. */
const left = (show: string): string => `{${show}}:left`;
const guests = (show: string): string => `{${show}}:guests`;

/** Starts the box office: it sells a ticket and, if and only if it was sold, puts the buyer on the list of guests. */
export async function startTickets(port: number): Promise<{
  url: string;
  open(show: string, tickets: number): Promise<void>;
  close(): Promise<void>;
}> {
  const redis = new Redis(env.redisUrl);
  const barrier = redisBarrier(redis);
  const url = `http://127.0.0.1:${port}`;
  const addGuest = httpBranch<Sale>(`${url}/guest`);
  const wasItSold = httpBranch(`${url}/was-it-sold`);

  @Controller()
  class BoxOffice {
    constructor(private readonly dtm: DtmService) {}

    @Post('buy/:id')
    async buy(@Param('id') id: string, @Body() sale: Sale): Promise<object> {
      const takeTicket = barrier.local({ keys: [left(sale.show)], script: TAKE_TICKET });
      try {
        // The hash tag of the show stands in the gid, so that the barrier's keys are in the slot of the show's.
        const { repeat, value } = await this.dtm
          .message(`{${sale.show}}-${id}`)
          .step(addGuest, sale)
          .prepareAndSubmit(takeTicket, { backCheck: wasItSold });
        return { sold: true, repeat, left: value };
      } catch (error) {
        if (error instanceof Refusal) throw new ConflictException(error.message);
        throw error;
      }
    }

    @Get('guests/:show')
    guests(@Param('show') show: string): Promise<string[]> {
      return redis.lrange(guests(show), 0, -1);
    }
  }

  @Controller()
  @DtmBranches()
  class BoxOfficeBranches {
    constructor(private readonly tx: RedisTransaction) {}

    @Post('guest')
    async addGuest(@Body() { show, buyer }: Sale): Promise<void> {
      await this.tx.run({ keys: [guests(show)], args: [buyer], script: ADD_GUEST });
    }

    /** DTM asks here when the box office died between taking the ticket and saying so. The barrier knows the answer. */
    @Get('was-it-sold')
    @DtmBackCheck()
    wasItSold(): void {}
  }

  @Module({
    imports: [
      DtmModule.forRoot({ servers: { default: { grpc: env.dtmGrpc, http: env.dtmHttp } }, signature, barrier }),
    ],
    controllers: [BoxOffice, BoxOfficeBranches],
  })
  class TicketsModule {}

  const app = await NestFactory.create<NestFastifyApplication>(TicketsModule, new FastifyAdapter(), {
    logger: ['warn'],
  });
  await app.listen(port, '127.0.0.1');
  return {
    url,
    open: async (show, tickets) => {
      await redis.set(left(show), tickets);
    },
    close: async () => {
      await app.close();
      await redis.quit();
    },
  };
}
