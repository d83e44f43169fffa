import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { ConflictException, Controller, Get, type INestApplication, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CurrentBranch,
  DtmBranches,
  DtmBranchFailed,
  DtmModule,
  DtmService,
  type HttpBranchMethod,
  httpBranch,
  newGid,
  Ongoing,
  Refusal,
  type Transaction,
} from '../src/index.js';
import { mysqlBarrier } from '../src/mysql.js';
import { redisBarrier } from '../src/redis.js';
import { adapters } from './support/adapters.js';
import { signature } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { env } from './support/env.js';
import { Kiosk, startKiosk, type Take, take } from './support/kiosk.js';
import { throwAwayRedis } from './support/redis.js';
import { gate, until } from './support/until.js';

const server = { grpc: env.dtmGrpc, http: env.dtmHttp };

function final(dtm: DtmService, gid: string): Promise<Transaction> {
  return until(`${gid} is final`, async () => {
    const transaction = await dtm.query(gid);
    return (transaction?.status === 'succeed' || transaction?.status === 'failed') && transaction;
  });
}

/** What the action of a gid throws, one entry a call; then nothing. */
@Injectable()
class Moods {
  readonly errors = new Map<string, Error[]>();
  readonly calls: string[] = [];
}

@Controller()
@DtmBranches()
class Shop {
  constructor(
    private readonly moods: Moods,
    private readonly current: CurrentBranch,
  ) {}

  @Get('order')
  orderByGet(): object {
    return this.#order('GET');
  }

  @Post('order')
  orderByPost(): object {
    return this.#order('POST');
  }

  @Get('undo')
  undoByGet(): void {
    this.moods.calls.push(`${this.current.gid} undo by GET`);
  }

  @Post('undo')
  undoByPost(): void {
    this.moods.calls.push(`${this.current.gid} undo by POST`);
  }

  #order(method: string): object {
    const gid = this.current.gid ?? '';
    this.moods.calls.push(`${gid} by ${method}`);
    const error = this.moods.errors.get(gid)?.shift();
    if (error) throw error;
    return { words: 'FAILURE and ONGOING' };
  }
}

describe.each(['fastify', 'express'] as const)('branches that DTM calls over HTTP, served on %s', (adapter) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let app: INestApplication;
  let moods: Moods;
  let dtm: DtmService;
  let url: string;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    @Module({
      imports: [
        DtmModule.forRoot({
          servers: { default: server },
          signature,
          branchSyncCheck: false,
          barrier: mysqlBarrier(database.dataSource),
        }),
      ],
      controllers: [Shop],
      providers: [Moods],
    })
    class ShopModule {}
    app = await NestFactory.create(ShopModule, adapters[adapter](), { logger: false });
    await app.listen(0, '127.0.0.1');
    [moods, dtm, url] = [app.get(Moods), app.get(DtmService), await app.getUrl()];
  });
  afterAll(async () => {
    await app?.close();
    await database?.drop();
  });

  /** DTM calls by GET when there is nothing to POST. */
  const methods: Record<'GET' | 'POST', (path: string) => HttpBranchMethod<object>> = {
    GET: (path) => ({ url: `${url}${path}`, requestSerialize: () => new Uint8Array() }),
    POST: (path) => httpBranch<object>(`${url}${path}`),
  };

  describe.each(['GET', 'POST'] as const)('by %s', (method) => {
    /** The saga's end, and what was called. */
    async function order(...errors: Error[]): Promise<{ status: string; reason: string; calls: string[] }> {
      const gid = newGid();
      moods.errors.set(gid, errors);
      const at = methods[method];
      await dtm.saga(gid, { retryInterval: 1 }).step(at('/order'), at('/undo'), {}).submit({ fresh: true });
      const { status, rollbackReason } = await final(dtm, gid);
      const calls = moods.calls.filter((call) => call.startsWith(gid)).map((call) => call.slice(gid.length + 1));
      return { status, reason: rollbackReason, calls };
    }

    test('a return is a success, whatever words it holds', async () => {
      expect(await order()).toMatchObject({ status: 'succeed', calls: [`by ${method}`] });
    });

    test.each([new Refusal('sold out, says FAILURE ONGOING'), new ConflictException('sold out')])(
      '%s rolls back at the first call, and of nothing there is nothing to undo',
      async (error) => {
        const { status, reason, calls } = await order(error);
        expect([status, calls]).toEqual(['failed', [`by ${method}`]]);
        expect(reason).toContain('sold out');
      },
    );

    test.each([
      ['an Ongoing', new Ongoing('not yet')],
      ['an unknown error', new Error('FAILURE, it seems')],
    ])('%s is called again', async (_, error) => {
      expect(await order(error)).toMatchObject({ status: 'succeed', calls: [`by ${method}`, `by ${method}`] });
    });
  });

  test('a back-check asked by GET: the message is sent although its submitter hangs', async () => {
    const redis = await throwAwayRedis();
    const barrier = redisBarrier(redis.redis);
    const kiosk = await startKiosk(barrier, {}, adapter);
    const [from, to] = [`{${redis.tag}}:from`, `{${redis.tag}}:to`];
    for (const key of [from, to]) await redis.redis.set(key, 10);
    const [gid, leave] = [`{${redis.tag}}-${newGid()}`, gate()];
    const step = barrier.local(take({ key: from, amount: 3 }));
    const hanging = {
      run: async (id: string) => {
        const outcome = await step.run(id);
        await leave.opened;
        return outcome;
      },
      check: step.check,
    };
    const sending = kiosk.dtm
      .message(gid, { timeoutToFail: 2, retryInterval: 2 })
      .step(httpBranch<Take>(`${kiosk.http}/take`), { key: to, amount: 1 })
      .prepareAndSubmit(hanging, { backCheck: httpBranch<object>(`${kiosk.http}/asked`) });
    expect((await final(kiosk.dtm, gid)).status).toBe('succeed');
    leave.open();
    expect(await sending).toMatchObject({ gid, status: 'succeed' });
    expect(await redis.redis.mget(from, to)).toEqual(['7', '9']);
    await kiosk.close();
    await redis.close();
  });
});

describe('an answer over HTTP means the same to DTM and to a submitter that tries a branch itself', () => {
  type Meaning = 'success' | 'refused' | 'again';
  const answers: [number, string, Meaning][] = [
    [200, '{}', 'success'],
    [200, '{"said":"FAILURE"}', 'refused'],
    [200, '{"said":"ONGOING"}', 'again'],
    [201, '{}', 'again'],
    [204, '', 'again'],
    [400, '{}', 'again'],
    [409, '{"message":"sold out"}', 'refused'],
    [409, 'ONGOING', 'again'],
    [425, '{}', 'again'],
    [425, 'FAILURE', 'again'],
    [500, 'FAILURE', 'refused'],
    [503, '{}', 'again'],
  ];
  let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
  let kiosk: Awaited<ReturnType<typeof startKiosk>>;
  let foreign: Server;
  let url: string;
  const calls = new Map<string, number>();

  beforeAll(async () => {
    redis = await throwAwayRedis();
    kiosk = await startKiosk(redisBarrier(redis.redis));
    foreign = createServer((request, response) => {
      const { searchParams, pathname } = new URL(request.url ?? '', 'http://x');
      const [gid, op] = [searchParams.get('gid') ?? '', searchParams.get('op') ?? ''];
      const asked = op === 'action' || op === 'try' ? (calls.get(gid) ?? 0) + 1 : 0;
      if (asked) calls.set(gid, asked);
      const [status, body] = (asked === 1 && answers[Number(pathname.slice(1))]) || [200, '{}'];
      request.resume().on('end', () => response.writeHead(status).end(body));
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    foreign?.close();
    await kiosk?.close();
    await redis?.close();
  });

  test('to DTM', async () => {
    const meanings = await Promise.all(
      answers.map(async (_, index): Promise<Meaning> => {
        const [gid, at] = [newGid(), (role: string) => httpBranch<object>(`${url}/${index}?${role}`)];
        await kiosk.dtm.saga(gid, { retryInterval: 1 }).step(at('do'), at('undo'), {}).submit({ fresh: true });
        const { status } = await final(kiosk.dtm, gid);
        return status === 'failed' ? 'refused' : calls.get(gid) === 1 ? 'success' : 'again';
      }),
    );
    expect(meanings.map((meaning, index) => [...(answers[index] ?? []).slice(0, 2), meaning])).toEqual(answers);
  });

  test.each(answers)('to a submitter: %i %s is %s', async (status, body, meaning) => {
    const index = answers.findIndex((answer) => answer[0] === status && answer[1] === body);
    const at = (role: string) => httpBranch<object>(`${url}/${index}?${role}`);
    const tried = kiosk.dtm
      .tcc(newGid(), (tcc) => tcc.branch(at('try'), at('confirm'), at('cancel'), {}))
      .then(
        () => 'success',
        (error: unknown) => error,
      );
    if (meaning === 'success') expect(await tried).toBe('success');
    else expect(await tried).toBeInstanceOf(meaning === 'refused' ? Refusal : DtmBranchFailed);
    if (body.includes('sold out')) expect(await tried).toEqual(new Refusal('sold out'));
  });

  test('to a submitter: no answer within the time, or nobody there, is a DtmBranchFailed that names the branch', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    for (const address of [`http://127.0.0.1:${port}/x`, 'http://127.0.0.1:1/x']) {
      const at = (role: string) => httpBranch<object>(`${address}?${role}`);
      const tried = kiosk.dtm.tcc(newGid(), (tcc) => tcc.branch(at('try'), at('confirm'), at('cancel'), {}), {
        requestTimeout: 1,
      });
      await expect(tried).rejects.toBeInstanceOf(DtmBranchFailed);
    }
    silent.closeAllConnections();
    silent.close();
  });
});

test('a saga may mix branches over gRPC and HTTP, GET and POST among them', async () => {
  const redis = await throwAwayRedis();
  const kiosk = await startKiosk(redisBarrier(redis.redis));
  const [gid, one, two] = [`{${redis.tag}}-${newGid()}`, `{${redis.tag}}:1`, `{${redis.tag}}:2`];
  await redis.redis.mset(one, 10, two, 1);
  const at = (path: string) => httpBranch<Take>(`${kiosk.http}/${path}`);
  await kiosk.dtm
    .saga(gid)
    .step(Kiosk.take, Kiosk.takeRevert, { key: one, amount: 3 })
    .step(at('take'), at('takeRevert'), { key: one, amount: 3 })
    .step(at('take'), at('takeRevert'), { key: two, amount: 3 })
    .submit({ fresh: true });
  expect((await final(kiosk.dtm, gid)).rollbackReason).toContain('only 1 left');
  expect(await redis.redis.mget(one, two)).toEqual(['10', '1']);
  await kiosk.close();
  await redis.close();
});
