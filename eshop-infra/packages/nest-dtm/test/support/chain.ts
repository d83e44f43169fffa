import { Controller, Get, type INestApplication, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { workflowService } from '../../src/grpc.js';
import {
  type Branch,
  DtmBackCheck,
  DtmBranches,
  DtmModule,
  DtmService,
  DtmWorkflow,
  DtmWorkflowCallback,
  httpBranch,
  type LocalStep,
  type Workflow,
} from '../../src/index.js';
import { LocalTransaction, type MysqlBarrierOptions, mysqlBarrier } from '../../src/mysql.js';
import { type RedisScript, RedisTransaction, redisBarrier } from '../../src/redis.js';
import { freePort } from '../../src/testing/index.js';
import { adapters } from './adapters.js';
import { jsonMethod, Message, signature } from './bank.js';

/** Payload of every branch: where it takes from. */
export interface Link {
  account: string;
}

/** Kinds of barrier. */
export type BarrierName = 'mysql' | 'redis';

/** What is in an account at first, and how much a step takes. */
export const [FULL, TAKEN] = [10, 3];

function methods(service: string) {
  const method = (name: string) => jsonMethod<Link>(`/chain.${service}/${name}`);
  return { take: method('Take'), takeBack: method('TakeBack'), confirm: method('Confirm') };
}

const grpcMethods = { mysql: methods('Mysql'), redis: methods('Redis') };

/** Runs before the work of a branch or local step, inside its transaction: waits, or throws. */
export type Act = (branch: Branch) => Promise<void> | void;

/** What becomes of the branches of the tests' transactions, and which were called. Shared by applications. */
export class Acts {
  readonly #acts = new Map<string, Act>();
  /** Called when a call begins and, with `undefined`, when it ends. */
  readonly #listeners = new Set<(branch: Branch, end: unknown) => void>();

  on(account: string, act: Act): void {
    this.#acts.set(account, act);
  }

  forget(account: string): void {
    this.#acts.delete(account);
  }

  async run(account: string, branch: Branch): Promise<void> {
    await this.#acts.get(account)?.(branch);
  }

  listen(listener: (branch: Branch, end: unknown) => void): void {
    this.#listeners.add(listener);
  }

  /** Tells the listeners of a call from its beginning to its end. */
  async told<T>(branch: Branch, call: () => Promise<T>, ended: (result: T) => unknown): Promise<T> {
    for (const listen of this.#listeners) listen(branch, undefined);
    let end: unknown = 'error';
    try {
      const result = await call();
      end = ended(result);
      return result;
    } finally {
      for (const listen of this.#listeners) listen(branch, end);
    }
  }
}

/** Redis: a counter, of which a hash beside it says what changed it. */
const CHANGE = `redis.call('HINCRBY', KEYS[2], op, 1)
return redis.call('DECRBY', KEYS[1], ARGV[1])`;

function script(account: string, taken: number): RedisScript {
  return { keys: [account, `${account}:hits`], args: [taken], script: CHANGE };
}

/** An application that serves the branches of chains and submits chains. */
export interface ChainApp {
  app: INestApplication;
  dtm: DtmService;
  grpcAddress: string;
  http: string;
  readonly workflows: ChainWorkflows;
  /** The local step of a message. */
  local(barrier: BarrierName, account: string): LocalStep<unknown>;
  close(): Promise<void>;
}

interface ChainOptions {
  dtm: { grpc: string; http: string };
  dataSource: DataSource;
  redis: Redis;
  acts: Acts;
  mysql?: MysqlBarrierOptions;
  /** Who serves the branches; default: this application. */
  servedBy?: ChainApp;
}

/** Input of a workflow: its steps, local ones and branches in turn. */
export interface ChainPlan {
  accounts: string[];
  barrier: BarrierName;
  /** Where HTTP branches are; default: they are called by gRPC. */
  http?: string;
}

/** The branches of one barrier, over one transport. */
export function branchesOf(barrier: BarrierName, http?: string) {
  const { take, takeBack, confirm } = grpcMethods[barrier];
  if (http === undefined) return { take, takeBack, confirm };
  const at = (name: string) => httpBranch<Link>(`${http}/${barrier}/${name}`);
  return { take: at('take'), takeBack: at('takeBack'), confirm: at('confirm') };
}

/** The back-check of one barrier. */
export function backCheckOf(barrier: BarrierName, http: string) {
  return httpBranch<never>(`${http}/asked/${barrier}`);
}

/** Does and takes back local work. */
export class LocalWork {
  constructor(
    private readonly acts: Acts,
    private readonly barrier: BarrierName,
  ) {}

  readonly #sql = new LocalTransaction();
  readonly #redis = new RedisTransaction();

  take(account: string): Promise<void> {
    return this.change(account, TAKEN);
  }

  takeBack(account: string): Promise<void> {
    return this.change(account, -TAKEN);
  }

  async change(account: string, taken: number): Promise<void> {
    const on = this.barrier === 'mysql' ? this.#sql : this.#redis;
    await this.acts.run(account, on.branch);
    if (this.barrier === 'redis') {
      await this.#redis.run(script(account, taken));
      return;
    }
    await this.#sql.execute('UPDATE account SET balance = balance - ?, hits = hits + 1 WHERE name = ?', [
      taken,
      account,
    ]);
  }
}

function workflowOn(barrier: BarrierName, acts: Acts) {
  const work = new LocalWork(acts, barrier);
  @DtmWorkflow(`chain-${barrier}`, { barrier })
  class ChainWorkflow {
    async run(workflow: Workflow, { accounts, http }: ChainPlan): Promise<string> {
      const { take, takeBack, confirm } = branchesOf(barrier, http);
      for (const [index, account] of accounts.entries()) {
        const kind = (['local', 'branch', 'tcc'] as const)[index % 3];
        if (kind === 'branch') await workflow.branch(take, takeBack, { account });
        else if (kind === 'tcc') await workflow.tcc(take, confirm, takeBack, { account });
        else
          await workflow.local(
            `take ${index}`,
            () => work.take(account),
            () => work.takeBack(account),
          );
      }
      return 'done';
    }
  }
  return ChainWorkflow;
}

/** The workflow classes of an application. */
export type ChainWorkflows = Record<BarrierName, ReturnType<typeof workflowOn>>;

/** Starts an application on free ports; `workflows` are its own. */
export async function startChain({ dtm, dataSource, redis, acts, mysql, servedBy }: ChainOptions): Promise<ChainApp> {
  const grpcAddress = `127.0.0.1:${await freePort()}`;
  const served = servedBy?.grpcAddress ?? grpcAddress;
  const workflows: ChainWorkflows = { mysql: workflowOn('mysql', acts), redis: workflowOn('redis', acts) };
  const [sql, counters] = [new LocalWork(acts, 'mysql'), new LocalWork(acts, 'redis')];
  const barriers = { mysql: mysqlBarrier(dataSource, mysql), redis: redisBarrier(redis) };

  @Controller('mysql')
  @DtmBranches({ barrier: 'mysql' })
  class MysqlController {
    @GrpcMethod('chain.Mysql', 'take')
    @Post('take')
    async take(@Message() { account }: Link): Promise<object> {
      await sql.take(account);
      return {};
    }

    @GrpcMethod('chain.Mysql', 'takeBack')
    @Post('takeBack')
    async takeBack(@Message() { account }: Link): Promise<object> {
      await sql.takeBack(account);
      return {};
    }

    @GrpcMethod('chain.Mysql', 'confirm')
    @Post('confirm')
    async confirm(@Message() { account }: Link): Promise<object> {
      await sql.change(account, 0);
      return {};
    }
  }

  @Controller('redis')
  @DtmBranches({ barrier: 'redis' })
  class RedisController {
    @GrpcMethod('chain.Redis', 'take')
    @Post('take')
    async take(@Message() { account }: Link): Promise<object> {
      await counters.take(account);
      return {};
    }

    @GrpcMethod('chain.Redis', 'takeBack')
    @Post('takeBack')
    async takeBack(@Message() { account }: Link): Promise<object> {
      await counters.takeBack(account);
      return {};
    }

    @GrpcMethod('chain.Redis', 'confirm')
    @Post('confirm')
    async confirm(@Message() { account }: Link): Promise<object> {
      await counters.change(account, 0);
      return {};
    }
  }

  @Controller()
  class AskedController {
    @DtmBackCheck({ barrier: 'mysql' })
    @Get('asked/mysql')
    mysql(): never {
      throw new Error('the body of a back-check does not run');
    }

    @DtmBackCheck({ barrier: 'redis' })
    @Get('asked/redis')
    redis(): never {
      throw new Error('the body of a back-check does not run');
    }

    @DtmWorkflowCallback()
    @GrpcMethod('workflow.Workflow', 'execute')
    resume(): never {
      throw new Error('the body of a callback does not run');
    }
  }

  @Module({
    imports: [
      DtmModule.forRoot({
        servers: { default: { ...dtm, deadlineMs: 1_500, waitDeadlineMs: 10_000 } },
        branches: { 'chain.Mysql': served, 'chain.Redis': served, 'workflow.Workflow': served },
        signature,
        branchSyncCheck: false,
        barrier: barriers,
        observers: [
          {
            submit: (_about, run) => run(),
            branch: (about, run) => acts.told(about, run, ({ outcome }) => outcome),
          },
        ],
      }),
    ],
    controllers: [MysqlController, RedisController, AskedController],
    providers: Object.values(workflows),
  })
  class ChainModule {}

  const app = await NestFactory.create(ChainModule, adapters.fastify(), { logger: false });
  app.connectMicroservice<MicroserviceOptions>(
    {
      transport: Transport.GRPC,
      options: {
        package: ['chain', 'workflow'],
        packageDefinition: {
          'chain.Mysql': grpcMethods.mysql,
          'chain.Redis': grpcMethods.redis,
          'workflow.Workflow': workflowService,
        },
        url: grpcAddress,
        gracefulShutdown: true,
      },
    },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return {
    app,
    dtm: app.get(DtmService),
    grpcAddress,
    http: await app.getUrl(),
    workflows,
    local: (barrier, account) => {
      if (barrier === 'mysql') return barriers.mysql.local(() => sql.take(account));
      const step = barriers.redis.local(script(account, TAKEN));
      return {
        ...step,
        run: async (gid) => {
          await acts.run(account, { transType: 'msg', gid, branchId: '00', op: 'msg' });
          return step.run(gid);
        },
      };
    },
    close: () => app.close(),
  };
}
