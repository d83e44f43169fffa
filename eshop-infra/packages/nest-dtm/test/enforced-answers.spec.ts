import { randomUUID } from 'node:crypto';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  ConflictException,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  Get,
  HttpException,
  InternalServerErrorException,
  type NestInterceptor,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { catchError, EMPTY, map, type Observable, of, retry, throwError, timeout } from 'rxjs';
import { workflowService } from '../src/grpc.js';
import { type BranchMethod, DtmBackCheck, DtmBranches, DtmModule, httpBranch, newGid, Refusal } from '../src/index.js';
import { backCheckOf, type DtmCall, DtmCaller, freePort, transactionEnd } from '../src/testing/index.js';
import { transports } from './support/adapters.js';
import { Bank, type BankApp, signature, startBank, type Transfer } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { PlanCallback } from './support/plan.js';
import { always200, compress, type Surroundings, startTill, Till, type TillApp, type Word } from './support/till.js';

/** A filter that answers everything alike. */
function filter(http: (response: { status(code: number): { send(body: unknown): void } }) => void, rpc: () => unknown) {
  @Catch()
  class AppFilter implements ExceptionFilter {
    catch(_: unknown, host: ArgumentsHost): unknown {
      return host.getType() === 'http' ? http(host.switchToHttp().getResponse()) : rpc();
    }
  }
  return AppFilter;
}

/** An interceptor that changes what comes out. */
function interceptor(change: (out: Observable<unknown>) => Observable<unknown>) {
  class AppInterceptor implements NestInterceptor {
    intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
      return change(next.handle());
    }
  }
  return AppInterceptor;
}

const All200 = filter(
  (response) => response.status(200).send({ code: 0, msg: 'FAILURE' }),
  () => of({ code: 0 }),
);
const All500 = filter(
  (response) => response.status(500).send({ code: 1 }),
  () => throwError(() => ({ code: status.INTERNAL, message: 'oops' })),
);
const Refuses = filter(
  (response) => response.status(409).send({ code: 2 }),
  () => throwError(() => ({ code: status.ABORTED, message: 'ONGOING' })),
);
const Silent = filter(
  () => undefined,
  () => EMPTY,
);
const Swallows = interceptor((out) => out.pipe(catchError(() => of({ fine: true }))));
const Rewrites = interceptor((out) => out.pipe(catchError(() => throwError(() => new InternalServerErrorException()))));
const Spoils = interceptor((out) =>
  out.pipe(
    map(() => {
      throw new ConflictException('an interceptor says FAILURE');
    }),
  ),
);
const Repeats = interceptor((out) => out.pipe(retry(1)));
const Drops = interceptor(() => of({ cached: true }));

@Controller()
class Questions {
  @DtmBackCheck()
  @Get('wasItDone')
  wasItDone(): void {}
}

type Kind = new () => ExceptionFilter | NestInterceptor;
const places: [string, (kind: Kind) => Surroundings][] = [
  [
    'for the whole application',
    (kind) => ({
      configure: (app) => {
        const made = new kind();
        if ('catch' in made) app.useGlobalFilters(made);
        else app.useGlobalInterceptors(made);
      },
    }),
  ],
  [
    'as a provider',
    (kind) => ({ providers: [{ provide: 'catch' in kind.prototype ? APP_FILTER : APP_INTERCEPTOR, useClass: kind }] }),
  ],
  [
    'on the method',
    (kind) => ({ around: ['catch' in kind.prototype ? UseFilters(kind) : UseInterceptors(kind as never)] }),
  ],
];

const OUTCOMES: Record<string, { grpc: number; http: number }> = {
  yes: { grpc: 0, http: 200 },
  no: { grpc: 10, http: 409 },
  later: { grpc: 9, http: 425 },
  broken: { grpc: 14, http: 503 },
  unsigned: { grpc: 16, http: 401 },
};

function ask(till: TillApp, transport: 'grpc' | 'http', word: string) {
  const call = { gid: randomUUID(), ...(word === 'unsigned' && { signature: '' }) };
  const payload = { say: (word === 'unsigned' ? 'yes' : word) as Word };
  return transport === 'grpc' ? till.caller.grpc(Till.sell, call, payload) : till.caller.http('/sell', call, payload);
}

describe.each(transports)('what leaves a branch, over %s (%s)', (transport, adapter) => {
  let till: TillApp | undefined;
  const start = async (surroundings: Surroundings): Promise<TillApp> => {
    till = await startTill(adapter, surroundings);
    return till;
  };
  afterEach(async () => {
    await till?.close();
    till = undefined;
  });

  const kinds: [string, Kind][] = [
    ['a filter that makes a success of everything', All200],
    ['a filter that makes an error of everything', All500],
    ['a filter that makes a refusal of everything', Refuses],
    ['an interceptor that swallows errors', Swallows],
    ['an interceptor that rewrites errors', Rewrites],
    ['an interceptor that fails after a success', Spoils],
    ['an interceptor that repeats', Repeats],
  ];
  const everywhere = kinds.flatMap(([what, kind]) =>
    places.map(([where, place]) => [what, where, place(kind)] as const),
  );
  // On the method it is inside the barrier: nothing is committed then.
  const within = everywhere.filter(([what, where]) => !(what.includes('after a success') && where === 'on the method'));
  test.each(within)('is the library’s answer, whatever %s makes of it, %s', async (_what, _where, surroundings) => {
    await start(surroundings);
    for (const [word, expected] of Object.entries(OUTCOMES)) {
      const answer = till && (await ask(till, transport, word));
      expect({ word, status: answer?.status }).toEqual({ word, status: expected[transport] });
      expect(answer?.text).not.toMatch(/FAILURE|ONGOING/);
    }
  });

  test('comes although a filter answers nothing at all', async () => {
    const app = await start({ providers: [{ provide: APP_FILTER, useClass: Silent }] });
    expect((await ask(app, transport, 'no')).status).toBe(OUTCOMES.no?.[transport]);
  });

  test.each(places)('is "call again" where an interceptor answers in the branch’s place, %s', async (_, place) => {
    const app = await start(place(Drops));
    expect((await ask(app, transport, 'yes')).status).toBe(OUTCOMES.broken?.[transport]);
    expect(app.runs()).toBe(0);
  });

  test.each([
    ['an error of its own', () => throwError(() => new ConflictException('too slow'))],
    ['an answer of its own', () => of({ late: true })],
  ])('is "call again" when an interceptor gives up on a branch that may yet take effect, with %s', async (_, other) => {
    const Impatient = interceptor((out) => out.pipe(timeout({ each: 20, with: other })));
    const app = await start({ providers: [{ provide: APP_INTERCEPTOR, useClass: Impatient }] });
    expect((await ask(app, transport, 'slowly yes')).status).toBe(OUTCOMES.broken?.[transport]);
    expect(app.runs()).toBe(1);
  });

  test.each(places)(
    'is what a global guard said, also where a filter answers alike to everything, %s',
    async (_, place) => {
      class NotToday implements CanActivate {
        canActivate(): boolean {
          throw new ForbiddenException('not today');
        }
      }
      const surroundings = place(All200);
      const app = await start({
        ...surroundings,
        configure: (nest) => {
          surroundings.configure?.(nest);
          nest.useGlobalGuards(new NotToday());
        },
      });
      const answer = await ask(app, transport, 'yes');
      expect(answer.status).toBe(OUTCOMES.no?.[transport]);
      expect(answer.text).toContain('not today');
    },
  );

  test('is rendered by the application, where that says the same', async () => {
    @Catch()
    class Envelope implements ExceptionFilter {
      catch(error: Error & { httpStatus: number; grpcStatus: number }, host: ArgumentsHost): unknown {
        if (host.getType() === 'rpc')
          return throwError(() => ({ code: error.grpcStatus, message: `mine: ${error.message}` }));
        return host.switchToHttp().getResponse().status(error.httpStatus).send({ mine: error.message });
      }
    }
    const app = await start({
      providers: [
        { provide: APP_FILTER, useClass: Envelope },
        { provide: APP_INTERCEPTOR, useClass: interceptor((out) => out.pipe(map((data) => ({ mine: data })))) },
      ],
    });
    const texts = transport === 'grpc' ? ['mine: no', ''] : ['{"mine":"no"}', '{"mine":{}}'];
    expect((await ask(app, transport, 'no')).text).toBe(texts[0]);
    expect((await ask(app, transport, 'yes')).text).toBe(texts[1]);
  });

  test.each([
    ['a refusal that is cut in the middle of an emoji', {}, `no: ${'x'.repeat(195)}😀😀`, /^[^\uFFFD]*x$/],
    ['a refusal with half a surrogate pair', {}, 'no: \ud83d!', /no: \uFFFD!/],
    [
      'half a surrogate pair of a filter’s own',
      {
        providers: [
          {
            provide: APP_FILTER,
            useClass: filter(
              (response) => response.status(409).send({ message: 'mine \ud83d' }),
              () => throwError(() => ({ code: status.ABORTED, message: 'mine \ud83d' })),
            ),
          },
        ],
      },
      'no',
      /mine /,
    ],
    [
      'half a surrogate pair of a guard’s',
      {
        configure: (app) =>
          app.useGlobalGuards({
            canActivate: () => {
              throw new HttpException('guard \ud83d', 409);
            },
          }),
      },
      'yes',
      /guard \uFFFD/,
    ],
  ] satisfies [string, Surroundings, Word, RegExp][])('is well formed: %s', async (_, surroundings, word, expected) => {
    const app = await start(surroundings);
    const { status: code, text } = await ask(app, transport, word);
    expect(code).toBe(OUTCOMES.no?.[transport]);
    expect(text.isWellFormed()).toBe(true);
    expect(transport === 'grpc' ? text : JSON.parse(text).message).toMatch(expected);
    // The process lives.
    if (word !== 'yes') expect((await ask(app, transport, 'yes')).status).toBe(OUTCOMES.yes?.[transport]);
  });
});

describe.each(['fastify', 'express'] as const)('around the response itself, on %s', (adapter) => {
  test('middleware that makes 200 of every status changes no answer', async () => {
    const till = await startTill(adapter, { configure: always200 });
    for (const [word, expected] of Object.entries(OUTCOMES))
      expect({ word, code: (await ask(till, 'http', word)).status }).toEqual({ word, code: expected.http });
    await till.close();
  });

  test('a workflow gets its branch’s reply, not what an application wraps it in', async () => {
    const Wraps = interceptor((out) => out.pipe(map((data) => ({ code: 0, data }))));
    const till = await startTill(adapter, { providers: [{ provide: APP_INTERCEPTOR, useClass: Wraps }] });
    const call = { gid: randomUUID(), transType: 'workflow' };
    const { status: code, text } = await till.caller.http('/sell', call, { say: 'yes' });
    expect(code).toBe(200);
    expect(text).not.toContain('FAILURE');
    expect(JSON.parse(text)).toEqual({ said: 'FAILURE' });
    await till.close();
  });

  test('a handler that answers by itself is answered when it is known what became of it', async () => {
    const till = await startTill(adapter, {});
    const sell = (say: Word) => till.caller.http('/sellByHand', { gid: randomUUID() }, { say });
    expect(await sell('yes')).toEqual({ status: 200, text: '{}' });
    // The handler answered 202, a filter then 409.
    expect(await sell('no')).toEqual({ status: 409, text: JSON.stringify({ statusCode: 409, message: 'no' }) });
    expect((await sell('yes')).status).toBe(200);
    await till.close();
  });
});

describe.each(['fastify', 'express'] as const)('compressed answers on %s', (adapter) => {
  test.each([
    ['with a filter that makes a success of everything', [{ provide: APP_FILTER, useClass: All200 }]],
    ['without more', []],
  ])('are DTM’s, too, %s', async (_, providers) => {
    const till = await startTill(adapter, { providers, configure: compress });
    try {
      for (const [word, expected] of Object.entries(OUTCOMES)) {
        const { status: code, text } = await ask(till, 'http', word);
        expect({ word, code }).toEqual({ word, code: expected.http });
        expect(JSON.parse(text)).toEqual(
          word === 'yes' ? {} : expect.objectContaining({ statusCode: expected.http, message: expect.any(String) }),
        );
      }
    } finally {
      await till.close();
    }
  });
});

test('an application that serves nothing but gRPC answers like any other', async () => {
  @Controller()
  @DtmBranches({ barrier: false })
  class OnlyGrpc {
    @UseFilters(All200)
    @GrpcMethod('till.Till', 'sell')
    sell({ say }: { say: Word }): object {
      if (say === 'no') throw new Refusal(say);
      return {};
    }
  }
  const grpcAddress = `127.0.0.1:${await freePort()}`;
  const module = {
    module: class {},
    imports: [DtmModule.forRoot({ servers: {}, signature })],
    controllers: [OnlyGrpc],
  };
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    transport: Transport.GRPC,
    options: { package: 'till', packageDefinition: { 'till.Till': Till }, url: grpcAddress },
    logger: false,
  });
  await app.listen();
  const caller = new DtmCaller({ signature, grpcAddress });
  for (const [say, code] of [
    ['yes', 0],
    ['no', 10],
  ] as const)
    expect((await caller.grpc(Till.sell, { gid: randomUUID() }, { say })).status).toBe(code);
  caller.close();
  await app.close();
});

test('trailers that an application’s filter adds to a refusal over gRPC stay', async () => {
  @Catch()
  class Detailed implements ExceptionFilter {
    catch(error: Error): unknown {
      const metadata = new Metadata();
      metadata.set('why', 'sold out');
      return throwError(() => ({ code: status.ABORTED, details: error.message, metadata }));
    }
  }
  const till = await startTill('fastify', { providers: [{ provide: APP_FILTER, useClass: Detailed }] });
  const client = new Client(till.grpcAddress, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(till.caller.metadata({ gid: randomUUID() }, Till.sell, { say: 'no' })))
    metadata.set(key, value);
  const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
  const { path, requestSerialize, responseDeserialize } = Till.sell;
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { say: 'no' }, metadata, resolve);
  const error = await promise;
  client.close();
  await till.close();
  expect(error?.code).toBe(status.ABORTED);
  expect(error?.metadata.get('why')).toEqual(['sold out']);
});

describe.each(['grpc', 'http'] as const)(
  'a saga of an application whose filter makes 200 of everything, %s',
  (transport) => {
    let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
    let bank: BankApp;

    beforeAll(async () => {
      database = await throwAwayDatabase();
      bank = await startBank(database.dataSource, {}, {}, 'fastify', {
        controllers: [Questions, PlanCallback],
        providers: [
          { provide: APP_FILTER, useClass: All200 },
          { provide: APP_INTERCEPTOR, useClass: Swallows },
        ],
      });
    });
    afterAll(async () => {
      await bank?.close();
      await database?.drop();
    });

    test('ends as failed when a branch refuses, and leaves nothing', async () => {
      const [rich, poor, gid] = [await bank.account(10), await bank.account(1), newGid()];
      const methods: [BranchMethod<Transfer>, BranchMethod<Transfer>] =
        transport === 'grpc'
          ? [Bank.withdraw, Bank.withdrawRevert]
          : [httpBranch(`${bank.http}/withdraw`), httpBranch(`${bank.http}/withdrawRevert`)];
      await bank.dtm
        .saga(gid)
        .step(...methods, { account: rich, amount: 3 })
        .step(...methods, { account: poor, amount: 3 })
        .submit();
      const end = await transactionEnd(bank.dtm, gid);
      expect(end.status).toBe('failed');
      expect(end.rollbackReason).toContain('has not enough');
      expect((await bank.state(rich)).balance).toBe(10);
      expect((await bank.state(poor)).balance).toBe(1);
    });

    test('tells DTM that a local step was not done, and that a workflow is not known', async () => {
      const caller = new DtmCaller({ signature, grpcAddress: bank.grpcAddress, http: bank.http });
      const unknown: DtmCall = { gid: newGid(), transType: 'workflow', branchId: '00', op: 'nobody knows' };
      if (transport === 'http') {
        expect((await caller.http('/wasItDone', backCheckOf(newGid()))).status).toBe(409);
        expect((await caller.http('/workflow', unknown, {})).status).toBe(503);
      } else {
        expect((await caller.grpc(workflowService.execute, unknown, {})).status).toBe(14);
      }
      caller.close();
    });
  },
);
