import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpCode,
  type INestApplication,
  type LoggerService,
  type NestInterceptor,
  type PipeTransform,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type Observable, tap } from 'rxjs';
import { CurrentBranch, DtmBranches, DtmModule, Refusal } from '../src/index.js';
import { LocalTransaction, mysqlBarrier } from '../src/mysql.js';
import { DtmCaller } from '../src/testing/index.js';
import { adapters } from './support/adapters.js';
import { signature } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { until } from './support/until.js';

const trail: string[] = [];
const requestId = new AsyncLocalStorage<string>();

class AppGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    trail.push('guard');
    const { guard } = context.switchToHttp().getRequest().query;
    if (guard === 'words') throw new Error('FAILURE ONGOING');
    if (guard === 'conflict') throw new ConflictException('the guard says FAILURE');
    return guard !== 'no';
  }
}

class AppInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    trail.push('interceptor before');
    return requestId
      .run(context.switchToHttp().getRequest().query.gid, () => next.handle())
      .pipe(tap(() => trail.push('interceptor after')));
  }
}

class NarrowGuard implements CanActivate {
  canActivate(): boolean {
    trail.push('method guard');
    return true;
  }
}

class NarrowInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    trail.push('method interceptor before');
    return next.handle().pipe(tap(() => trail.push('method interceptor after')));
  }
}

class AppPipe implements PipeTransform {
  transform(value: unknown): unknown {
    trail.push('pipe');
    return value;
  }
}

@Catch()
class AppFilter implements ExceptionFilter {
  catch(error: Error & { httpStatus?: number; code?: string }, host: ArgumentsHost): void {
    trail.push('filter');
    host
      .switchToHttp()
      .getResponse()
      .status(error.httpStatus ?? 500)
      .send({ mine: true, code: error.code });
  }
}

@Controller()
@DtmBranches()
class ShopFront {
  constructor(
    private readonly tx: LocalTransaction,
    private readonly current: CurrentBranch,
  ) {}

  @Post('buy')
  @HttpCode(201)
  @UseGuards(NarrowGuard)
  @UseInterceptors(NarrowInterceptor)
  async buy(@Body() body: { name?: string; fail?: string }): Promise<object> {
    trail.push('handler');
    if (body?.fail) throw new Refusal(body.fail);
    if (body?.name) await this.tx.execute('INSERT INTO account (name, balance) VALUES (?, 1)', [body.name]);
    seen.push({
      ...this.current.branch,
      requestId: requestId.getStore(),
      sameGid: this.current.gid === this.tx.branch.gid,
    });
    return { word: 'FAILURE' };
  }

  @Get('look')
  async look(@Query('gid') gid: string): Promise<object> {
    seen.push(gid);
    return { word: 'ONGOING' };
  }
}

const seen: unknown[] = [];

class Lines implements LoggerService {
  readonly lines: string[] = [];
  readonly #add = (message: unknown) => {
    this.lines.push(String(message));
  };
  log = this.#add;
  error = this.#add;
  warn = this.#add;
  debug = this.#add;
}

describe.each(['fastify', 'express'] as const)(
  'a branch among an application’s own guards, interceptors, pipes and filters, on %s',
  (adapter) => {
    const lines = new Lines();
    let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
    let app: INestApplication;
    let caller: DtmCaller;

    beforeAll(async () => {
      database = await throwAwayDatabase();
      const module = await Test.createTestingModule({
        imports: [
          DtmModule.forRoot({ servers: {}, signature, barrier: mysqlBarrier(database.dataSource, { groupSize: 16 }) }),
        ],
        controllers: [ShopFront],
      }).compile();
      app = module.createNestApplication(adapters[adapter]());
      app.useLogger(lines);
      app.useGlobalGuards(new AppGuard());
      app.useGlobalInterceptors(new AppInterceptor());
      app.useGlobalPipes(new AppPipe());
      app.useGlobalFilters(new AppFilter());
      await app.listen(0, '127.0.0.1');
      caller = new DtmCaller({ signature, http: await app.getUrl() });
    });
    beforeEach(() => {
      trail.length = 0;
      seen.length = 0;
      lines.lines.length = 0;
    });
    afterAll(async () => {
      caller?.close();
      await app?.close();
      await database?.drop();
    });

    test('they run in the usual order, the pipe inside the barrier, and the answer is exactly 200 without words', async () => {
      const gid = randomUUID();
      expect(await caller.http('/buy', { gid }, { name: gid })).toEqual({ status: 200, text: '{}' });
      expect(trail).toEqual([
        'guard',
        'method guard',
        'interceptor before',
        'method interceptor before',
        'pipe',
        'handler',
        'method interceptor after',
        'interceptor after',
      ]);
      trail.length = 0;
      expect(await caller.http('/buy', { gid }, { name: gid })).toEqual({ status: 200, text: '{}' });
      expect(trail).toEqual(['guard', 'method guard', 'interceptor before', 'interceptor after']);
    });

    test('a GET, as DTM makes it for an empty payload, is a branch like any other', async () => {
      const gid = randomUUID();
      for (let repeat = 0; repeat < 2; repeat++)
        expect(await caller.http('/look', { gid })).toEqual({ status: 200, text: '{}' });
      expect(seen).toEqual([gid]);
    });

    test('a branch’s answers go through the application’s filter, and tell it status and code', async () => {
      const answer = await caller.http('/buy', { gid: randomUUID() }, { fail: 'sold out' });
      expect(answer).toEqual({ status: 409, text: JSON.stringify({ mine: true, code: 'ABORTED' }) });
      expect(trail.at(-1)).toBe('filter');
    });

    test.each([
      ['an unknown error', 'words', 'action', 503],
      ['a 409', 'conflict', 'action', 409],
      ['a 409 in a compensation', 'conflict', 'compensate', 503],
      ['a plain no', 'no', 'action', 409],
    ])(
      '%s of an application’s guard is an answer DTM understands, and its words do not leak',
      async (_, guard, op, status) => {
        const answer = await caller.http(`/buy?guard=${guard}`, { gid: randomUUID(), op }, {});
        expect(answer.status).toBe(status);
        expect(answer.text).not.toMatch(/FAILURE|ONGOING/);
      },
    );

    test('calls that share a transaction keep the async context of their own request, and know their branch', async () => {
      const gids = Array.from({ length: 40 }, () => randomUUID());
      const answers = await Promise.all(gids.map((gid) => caller.http('/buy', { gid }, { name: gid })));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      const known = new Set(
        (seen as { gid: string; requestId: string; sameGid: boolean }[]).map(
          (one) => `${one.gid} ${one.requestId} ${one.sameGid}`,
        ),
      );
      expect(known).toEqual(new Set(gids.map((gid) => `${gid} ${gid} true`)));
      expect(new CurrentBranch().gid).toBeUndefined();
      expect(new CurrentBranch().branch).toBeUndefined();
    });

    test('log lines carry the gid', async () => {
      const gid = randomUUID();
      await caller.http('/buy', { gid }, { fail: 'sold out' });
      await caller.http('/buy', { gid, op: 'compensate' }, {});
      await caller.http('/look?guard=words', { gid });
      await until('three lines', () => lines.lines.filter((line) => line.includes(gid)).length >= 3);
      expect(lines.lines).toEqual([
        `branch ${gid}/01 action refused: sold out`,
        `branch ${gid}/01 compensate: repeat, handler not run`,
        `branch ${gid}/01 action did not reach its handler: FAILURE ONGOING`,
      ]);
    });
  },
);
