import {
  BadRequestException,
  Body,
  Controller,
  type INestApplication,
  Module,
  Post,
  StandardSchemaValidationPipe,
  UnprocessableEntityException,
  ValidationPipe,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RpcException } from '@nestjs/microservices';
import { IsInt, IsString, Min } from 'class-validator';
import { z } from 'zod';
import { describe as inWords } from '../src/branch/answer.js';
import { DtmBranches, DtmModule, DtmService, httpBranch, newGid, refusalText } from '../src/index.js';
import { transactionEnd } from '../src/testing/index.js';
import { adapters } from './support/adapters.js';
import { signature } from './support/bank.js';
import { env } from './support/env.js';

class Order {
  @IsString()
  account!: string;

  @IsInt()
  @Min(1)
  cents!: number;
}

const schema = z.object({ account: z.string(), lines: z.array(z.object({ cents: z.number().min(1) })) });

@Controller()
@DtmBranches({ barrier: false })
class OrderController {
  @Post('class-validator')
  byClass(@Body(new ValidationPipe({ expectedType: Order })) _order: Order): void {}

  @Post('standard-schema')
  bySchema(@Body({ schema, pipes: [new StandardSchemaValidationPipe()] }) _order: object): void {}

  @Post('zod')
  byZod(@Body() order: object): void {
    const { error } = schema.safeParse(order);
    if (error) throw new UnprocessableEntityException({ message: 'Validation failed', errors: error.issues });
  }
}

describe('what a validator says is wrong is in the reason', () => {
  let app: INestApplication;
  beforeAll(async () => {
    @Module({
      imports: [
        DtmModule.forRoot({
          servers: { default: { http: env.dtmHttp, protocol: 'http' } },
          signature,
          branchSyncCheck: false,
        }),
      ],
      controllers: [OrderController],
    })
    class OrderModule {}
    app = await NestFactory.create(OrderModule, adapters.express(), { logger: false });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app?.close());

  test.each([
    ['class-validator', { account: 'ann', cents: 0 }, 'Bad Request Exception (cents must not be less than 1)'],
    [
      'class-validator',
      { cents: 'x' },
      'Bad Request Exception (account must be a string; cents must not be less than 1; cents must be an integer number)',
    ],
    [
      'standard-schema',
      { account: 'ann', lines: [{ cents: 0 }] },
      'Bad Request Exception (lines.0.cents: Too small: expected number to be >=1)',
    ],
    ['zod', { account: 1, lines: [] }, 'Validation failed (account: Invalid input: expected string, received number)'],
  ])('%s, of %j', async (path, order, reason) => {
    const dtm = app.get(DtmService);
    const gid = newGid();
    const branch = httpBranch<object>(`${await app.getUrl()}/${path}`);
    await dtm.saga(gid).step(branch, null, order).submit({ fresh: true });
    const { status, rollbackReason } = await transactionEnd(dtm, gid);
    expect([status, refusalText(rollbackReason)]).toEqual(['failed', reason]);
  });

  const violations = [{ field: 'cents', rule: 'uint64.gt', description: 'must be > 0' }];
  test.each([
    [
      'violations of a contract',
      Object.assign(new Error('not valid'), { violations }),
      'not valid (cents: must be > 0)',
    ],
    [
      'Zod itself',
      schema.safeParse({ account: 'ann' }).error,
      'ZodError (lines: Invalid input: expected array, received undefined)',
    ],
    [
      'an RpcException',
      new RpcException({ code: 3, message: 'not valid', details: violations }),
      'not valid (cents: must be > 0)',
    ],
    [
      'class-validator’s own errors',
      new BadRequestException({
        message: [{ property: 'cents', constraints: { min: 'too small', isInt: 'no number' } }],
      }),
      'Bad Request Exception (cents: too small, no number)',
    ],
    ['one text', new BadRequestException('no cents'), 'no cents'],
    ['lists of other things', Object.assign(new Error('no'), { details: [1, null, {}], errors: 'x' }), 'no'],
  ])('from %s', (_from, error, words) => {
    expect(inWords(error)).toBe(words);
  });

  test('no more than a few of very many', () => {
    const message = Array.from({ length: 100_000 }, (_, index) => `${index} is wrong`);
    expect(inWords(new BadRequestException(message)).length).toBeLessThan(200);
  });
});
