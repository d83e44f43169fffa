import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { workflowService } from '../src/grpc.js';
import {
  type BranchAbout,
  DtmModule,
  type DtmModuleOptions,
  type DtmObserver,
  DtmRefused,
  DtmService,
  DtmWorkflow,
  MAX_GID_LENGTH,
  newGid,
  Refusal,
  type SubmitAbout,
  type Transaction,
  type Workflow,
  type WorkflowOptions,
} from '../src/index.js';
import { mysqlBarrier, workflowMigrationFor } from '../src/mysql.js';
import { DtmCaller } from '../src/testing/index.js';
import { Bank, signature } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { env, stores } from './support/env.js';
import { DTM_TABLES, mysqlStore, ownDtm } from './support/own-dtm.js';
import { AMOUNT, type PlannerApp, type PlanStep, PlanWorkflow, startPlanner } from './support/plan.js';
import { gate, until } from './support/until.js';

const invalid = (field: string) => expect.objectContaining({ code: 'DTM_INVALID_OPTION', field });

/** What a test makes of it. */
let script: (workflow: Workflow, input: unknown) => Promise<unknown> = async () => undefined;

@DtmWorkflow('scripted')
class Scripted {
  run(workflow: Workflow, input: unknown): Promise<unknown> {
    return script(workflow, input);
  }
}

@DtmWorkflow('unknown')
class Unknown {
  run(): Promise<unknown> {
    return Promise.resolve();
  }
}

let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
beforeAll(async () => {
  database = await throwAwayDatabase();
});
afterAll(() => database?.drop());

describe.each(stores)('rules of a workflow, DTM on $store', ({ grpc, http }) => {
  const seen: { submits: SubmitAbout[]; branches: BranchAbout[] } = { submits: [], branches: [] };
  const observer: DtmObserver = {
    headers: () => ({ 'x-trace': 'of the submitter' }),
    submit: (about, run) => {
      seen.submits.push(about);
      return run();
    },
    branch: (about, run) => {
      seen.branches.push(about);
      return run();
    },
  };
  let planner: PlannerApp;
  beforeAll(async () => {
    planner = await startPlanner(
      database.dataSource,
      { servers: { default: { grpc, http } }, observers: [observer] },
      { providers: [Scripted] },
    );
  });
  afterAll(() => planner?.close());

  const stored = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(`${gid} ${status}`, async () => {
      const transaction = await planner.dtm.query(gid);
      return transaction?.status === status && transaction;
    });
  const run = (work: typeof script, gid = newGid(), options: WorkflowOptions = {}) => {
    script = work;
    return planner.dtm.workflow(gid, Scripted, {}, options);
  };

  test.each<[string, WorkflowOptions]>([
    ['retryInterval', { retryInterval: -1 }],
    ['requestTimeout', { requestTimeout: 0.5 }],
    ['headers.X', { headers: { X: '' } }],
    ['customData.data', { customData: { data: 1 } }],
    ['customData', { customData: { note: 'x'.repeat(1_000) } }],
    ['headers', { headers: { long: 'x'.repeat(1_000) } }],
    ['server', { server: 'nowhere' }],
  ])('a wrong option fails with its name before anything is sent: %s', async (field, options) => {
    const gid = newGid();
    await expect(planner.dtm.workflow(gid, PlanWorkflow, { steps: [] }, options)).rejects.toEqual(invalid(field));
    expect(await planner.dtm.query(gid)).toBeNull();
  });

  test('a gid of 128 characters is kept whole, a longer one is refused', async () => {
    const gid = newGid().padEnd(MAX_GID_LENGTH, 'x');
    const account = await planner.account(10);
    const plan = { steps: [{ do: 'local', account } satisfies PlanStep] };
    expect(await planner.dtm.workflow(gid, PlanWorkflow, plan)).toMatchObject({ status: 'succeed' });
    expect(await planner.barrierRows(gid)).toEqual(['01 action action']);
    await expect(planner.dtm.workflow(`${gid}x`, PlanWorkflow, plan)).rejects.toEqual(invalid('gid'));
  });

  test('an input that does not fit into the column is refused before anything is sent', async () => {
    const gid = newGid();
    const input = { steps: [], returns: 'x'.repeat(1_000) };
    await expect(planner.dtm.workflow(gid, PlanWorkflow, input)).rejects.toEqual(invalid('input'));
    expect(await planner.dtm.query(gid)).toBeNull();
  });

  test('a result that does not fit into the column takes all back', async () => {
    const [gid, account] = [newGid(), await planner.account(10)];
    const long = 'x'.repeat(1_000);
    await expect(
      run(async (workflow) => {
        await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account, amount: AMOUNT });
        return long;
      }, gid),
    ).rejects.toEqual(invalid('result'));
    expect(await planner.state(account)).toEqual({ balance: 10, hits: 2 });
    expect((await planner.dtm.query(gid))?.status).toBe('failed');
  });

  test('what a step returns may have 64 KiB; more takes all back, the step itself too', async () => {
    const [one, two] = [await planner.account(10), await planner.account(10)];
    const take = (size: number, account: string) => (workflow: Workflow) =>
      workflow
        .local(
          'take',
          async () => {
            await planner.app.get(PlanWorkflow).take(account);
            return 'x'.repeat(size);
          },
          () => planner.app.get(PlanWorkflow).giveBack(account),
        )
        .then((value) => value.length);
    expect(await run(take(65_000, one))).toMatchObject({ status: 'succeed', value: 65_000 });
    await expect(run(take(66_000, two))).rejects.toEqual(invalid('steps.take'));
    expect(await planner.state(two)).toEqual({ balance: 10, hits: 0 });
  });

  test('a result is what JSON makes of it, at first and afterwards; nothing at all stays nothing', async () => {
    const [gid, none] = [newGid(), newGid()];
    const now = new Date();
    const first = await run(async (workflow) => [await workflow.record('now', async () => ({ now }))], gid);
    expect(first.value).toEqual([{ now: now.toISOString() }]);
    expect((await run(async () => 'never', gid)).value).toEqual(first.value);
    for (let time = 0; time < 2; time++)
      expect(await run(async () => undefined, none)).toMatchObject({ status: 'succeed', value: undefined });
  });

  test("the first call's input counts", async () => {
    const gid = newGid();
    script = async (workflow, input) => {
      await workflow.record('wait', async () => {
        if (seen.submits.filter((about) => about.gid === gid).length === 1) throw new Error('not yet');
      });
      return input;
    };
    expect(await planner.dtm.workflow(gid, Scripted, { from: 'first' })).toMatchObject({ status: 'submitted' });
    expect((await planner.dtm.workflow(gid, Scripted, { from: 'second' })).value).toEqual({ from: 'first' });
  });

  test('a workflow that is not registered', async () => {
    await expect(planner.dtm.workflow(newGid(), Unknown, {})).rejects.toEqual(invalid('workflow'));
    const caller = new DtmCaller({ signature, grpcAddress: planner.grpcAddress, http: planner.http });
    const who = { gid: newGid(), op: 'unknown', branchId: '00', transType: 'workflow' };
    expect(await caller.grpc(workflowService.execute, who, {})).toMatchObject({ status: 14 });
    expect((await caller.http('/workflow', who, {})).status).toBe(503);
    caller.close();
  });

  test('a gid of another workflow or another kind of transaction', async () => {
    const [saga, other] = [newGid(), newGid()];
    await planner.dtm.saga(saga).step(Bank.withdraw, null, { account: 'x', amount: 0 }).submit({ fresh: true });
    await planner.dtm.workflow(other, PlanWorkflow, { steps: [] });
    await expect(run(async () => undefined, saga)).rejects.toBeInstanceOf(DtmRefused);
    await expect(run(async () => undefined, other)).rejects.toBeInstanceOf(DtmRefused);
  });

  test('the callback takes signed calls for workflows only', async () => {
    const caller = new DtmCaller({ signature, grpcAddress: planner.grpcAddress, http: planner.http });
    const who = { gid: newGid(), op: 'plan', branchId: '00', transType: 'workflow' };
    const execute = workflowService.execute;
    expect((await caller.grpc(execute, { ...who, signature: '' }, {})).status).toBe(16);
    expect((await caller.http('/workflow', { ...who, signature: 'now.AAAA' }, {})).status).toBe(401);
    expect((await caller.grpc(execute, { ...who, branchId: '01' }, {})).status).toBe(14);
    expect((await caller.grpc(execute, { ...who, transType: 'saga' }, {})).status).toBe(14);
    expect(await caller.grpc(execute, who, {})).toEqual({ status: 14, text: 'DTM does not know this workflow' });
    caller.close();
  });

  test('code that has changed under way is noticed, not run', async () => {
    const gid = newGid();
    await run(async (workflow) => {
      await workflow.record('old name', async () => 1);
      throw new Error('stops here');
    }, gid);
    let ran = false;
    const result = await run(async (workflow) => {
      await workflow.record('new name', async () => {
        ran = true;
      });
    }, gid);
    expect(result).toMatchObject({
      status: 'submitted',
      reason: 'step 01 was "old name" when it first ran and is "new name" now',
    });
    expect(ran).toBe(false);
    await run((workflow) => workflow.record('old name', async () => 1), gid);
  });

  test('steps at the same time, a step that is not awaited, more than 99', async () => {
    const [two, loose] = [newGid(), newGid()];
    const leave = gate();
    const both = await run(
      (workflow) =>
        Promise.all([
          workflow.record('one', () => leave.opened),
          workflow
            .record('two', async () => 2)
            .catch((error: unknown) => {
              leave.open();
              throw error;
            }),
        ]),
      two,
    );
    expect(both).toMatchObject({ status: 'submitted', reason: expect.stringContaining('one by one') });
    const unawaited = await run(async (workflow) => {
      void workflow.record('loose', async () => undefined);
    }, loose);
    expect(unawaited).toMatchObject({ status: 'submitted', reason: expect.stringContaining('not awaited') });
    const many = async (workflow: Workflow) => {
      for (let step = 0; step < 100; step++) await workflow.record(`step ${step}`, async () => step);
    };
    await expect(run(many)).rejects.toEqual(invalid('steps'));
    await run((workflow) => workflow.record('one', async () => undefined), two);
    await run((workflow) => workflow.record('loose', async () => undefined), loose);
  });

  test('a branch without an address here is left to a process that has one', async () => {
    const [gid, one, two] = [newGid(), await planner.account(10), await planner.account(10)];
    const take = (method: typeof Bank.withdraw) => async (workflow: Workflow) => {
      await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account: one, amount: AMOUNT });
      await workflow.branch(method, Bank.withdrawRevert, { account: two, amount: AMOUNT });
    };
    const odd = { ...Bank.withdraw, path: '/other.Service/Do' };
    const reason = expect.stringContaining('steps.1.action: no address of "other.Service"');
    expect(await run(take(odd), gid)).toMatchObject({ status: 'submitted', reason });
    expect(await run(take(Bank.withdraw), gid)).toMatchObject({ status: 'succeed' });
    const taken = { balance: 10 - AMOUNT, hits: 1 };
    expect([await planner.state(one), await planner.state(two)]).toEqual([taken, taken]);
  });

  test('a local step without a barrier for it is left to a process that has one', async () => {
    const [gid, account] = [newGid(), await planner.account(10)];
    const steps: PlanStep[] = [{ do: 'local', account }];
    const call = async () => ({ ran: false, why: 'repeat' }) as const;
    const other = await startPlanner(database.dataSource, { servers: { default: { grpc, http } }, barrier: { call } });
    const reason = expect.stringContaining('barrier: the workflow has no barrier');
    expect(await other.dtm.workflow(gid, PlanWorkflow, { steps })).toMatchObject({ status: 'submitted', reason });
    await other.close();
    expect(await planner.dtm.workflow(gid, PlanWorkflow, { steps })).toMatchObject({ status: 'succeed' });
    expect(await planner.state(account)).toEqual({ balance: 10 - AMOUNT, hits: 1 });
  });

  test('a run that has gone further than the one that ended it takes back what it has begun', async () => {
    const [gid, one, two] = [newGid(), await planner.account(10), await planner.account(10)];
    const other = await startPlanner(
      database.dataSource,
      {
        servers: { default: { grpc, http } },
        branches: { 'bank.Bank': planner.grpcAddress, 'workflow.Workflow': planner.grpcAddress },
      },
      { providers: [Scripted] },
    );
    const [entered, leave] = [gate(), gate()];
    planner.scripts.on(two, 'action', async () => {
      entered.open();
      await leave.opened;
    });
    const further = run(async (workflow) => {
      await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account: one, amount: AMOUNT });
      await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account: two, amount: AMOUNT });
    }, gid);
    await entered.opened;
    script = async (workflow) => {
      await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account: one, amount: AMOUNT });
      throw new Refusal('says who is not deterministic');
    };
    const refusal = new Refusal('says who is not deterministic');
    await expect(other.dtm.workflow(gid, Scripted, {})).rejects.toEqual(refusal);
    leave.open();
    await expect(further).rejects.toEqual(refusal);
    const takenBack = { balance: 10, hits: 2 };
    expect([await planner.state(one), await planner.state(two)]).toEqual([takenBack, takenBack]);
    await other.close();
  });

  test('a run that decides otherwise than another one follows it', async () => {
    const [gid, account] = [newGid(), await planner.account(10)];
    const payload = { account, amount: AMOUNT };
    let failing = true;
    planner.scripts.on(account, 'rollback', () => {
      if (failing) throw new Error('not today');
    });
    const first = run(async (workflow) => {
      await workflow.branch(Bank.withdraw, Bank.withdrawRevert, payload);
      throw new Refusal('no');
    }, gid);
    await expect(first).rejects.toEqual(new Refusal('no'));
    failing = false;
    let begun = false;
    const second = run(async (workflow) => {
      await workflow.branch(Bank.withdraw, Bank.withdrawRevert, payload);
      await workflow.record('more', async () => {
        begun = true;
      });
      return 'all well';
    }, gid);
    await expect(second).rejects.toEqual(new Refusal('no'));
    expect(begun).toBe(false);
    expect(await planner.state(account)).toEqual({ balance: 10, hits: 2 });
  });

  test('an operator who stops it: refused', async () => {
    const gid = newGid();
    await run(async () => {
      throw new Error('not yet');
    }, gid);
    await fetch(`${http}/api/dtmsvr/forceStop`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ gid }),
    });
    await expect(run(async () => 'well', gid)).rejects.toEqual(new Refusal('stopped'));
  });

  test('observers see the submit and the callback; headers go along to branches, also when it is resumed', async () => {
    const [gid, account] = [newGid(), await planner.account(10)];
    let first = true;
    await run(
      async (workflow) => {
        await workflow.record('wait', async () => {
          if (!first) return;
          first = false;
          throw new Error('not yet');
        });
        await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account, amount: AMOUNT });
      },
      gid,
      { headers: { tenant: 'a' }, retryInterval: 1 },
    );
    await stored(gid, 'succeed');
    expect(seen.submits.filter((about) => about.gid === gid)).toEqual([
      { gid, transType: 'workflow', server: 'default' },
    ]);
    const [callback, branch] = seen.branches.filter((about) => about.gid === gid);
    expect(callback).toMatchObject({
      transType: 'workflow',
      branchId: '00',
      handler: 'Scripted.run',
      transport: 'grpc',
    });
    expect(branch).toMatchObject({ branchId: '02', op: 'action' });
    for (const about of [callback, branch])
      expect([about?.header('tenant'), about?.header('x-trace')]).toEqual(['a', 'of the submitter']);
    expect((await planner.dtm.query(gid))?.headers).toEqual({ tenant: 'a', 'x-trace': 'of the submitter' });
  });

  test('shutdown lets the step end that runs, and begins none; another process goes on', async () => {
    const [gid, one, two] = [newGid(), await planner.account(10), await planner.account(10)];
    const other = await startPlanner(database.dataSource, {
      servers: { default: { grpc, http } },
      branches: { 'bank.Bank': planner.grpcAddress, 'workflow.Workflow': planner.grpcAddress },
    });
    const [entered, leave] = [gate(), gate()];
    other.scripts.on(one, 'action', async () => {
      entered.open();
      await leave.opened;
    });
    const steps: PlanStep[] = [
      { do: 'local', account: one },
      { do: 'local', account: two },
    ];
    const running = other.dtm.workflow(gid, PlanWorkflow, { steps }, { retryInterval: 1 });
    await entered.opened;
    const closed = other.close();
    leave.open();
    expect(await running).toMatchObject({ status: 'submitted', reason: 'the service is shutting down' });
    await closed;
    await stored(gid, 'succeed');
    const taken = { balance: 10 - AMOUNT, hits: 1 };
    expect([await planner.state(one), await planner.state(two)]).toEqual([taken, taken]);
    expect(other.scripts.count(two, 'action')).toBe(0);
  });
});

test.each(['mysql', 'redis'])('steps are kept at once also by a DTM without branch sync, store %s', async (driver) => {
  const { hostname, port } = new URL(env.redisUrl);
  const name = `${database.name}_dtm`;
  let store: Record<string, string> = { STORE_DRIVER: 'redis', STORE_HOST: hostname, STORE_PORT: port || '6379' };
  if (driver === 'mysql') {
    await database.dataSource.query(`CREATE DATABASE ${name}`);
    for (const table of DTM_TABLES) {
      await database.dataSource.query(table.replace('CREATE TABLE ', `CREATE TABLE ${name}.`));
    }
    store = mysqlStore(name);
  } else {
    store.STORE_REDIS_PREFIX = `{${name}}`;
  }
  const dtm = await ownDtm(store, { UPDATE_BRANCH_SYNC: '0' });
  const planner = await startPlanner(
    database.dataSource,
    { servers: { default: { grpc: dtm.grpc, http: dtm.http } } },
    { providers: [Scripted] },
  );
  try {
    const gid = newGid();
    script = async (workflow) => {
      await workflow.record('first', async () => 'the data');
      throw new Error('stops here');
    };
    await planner.dtm.workflow(gid, Scripted, {});
    await dtm.server.kill();
    await dtm.server.start();
    const stored = await planner.dtm.query(gid);
    expect(stored?.branches).toMatchObject([{ branchId: '01', op: 'action', status: 'succeed' }]);
    script = (workflow) => workflow.record('first', async () => 'again');
    expect(await planner.dtm.workflow(gid, Scripted, {})).toMatchObject({ status: 'succeed', value: 'the data' });
  } finally {
    await planner.close();
    await dtm.server.remove();
    if (driver === 'mysql') await database.dataSource.query(`DROP DATABASE ${name}`);
  }
});

describe('what could not work is seen at start', () => {
  const good: DtmModuleOptions = {
    servers: { default: { grpc: '127.0.0.1:1', http: 'http://127.0.0.1:1' } },
    signature: false,
    branchSyncCheck: false,
  };
  const start = async (options: Partial<DtmModuleOptions>, ...providers: (new () => object)[]) => {
    @Module({ imports: [DtmModule.forRoot({ ...good, ...options })], providers })
    class WorkflowModule {}
    const module = await Test.createTestingModule({ imports: [WorkflowModule] }).compile();
    await module.init();
    return module;
  };

  test('names', async () => {
    const named = (name: string) => {
      @DtmWorkflow(name)
      class Named {
        async run(): Promise<void> {}
      }
      return Named;
    };
    await expect(start({}, named('a b'))).rejects.toEqual(invalid('workflow'));
    await expect(start({}, named('x'.repeat(46)))).rejects.toEqual(invalid('workflow'));
    await expect(start({}, named('same'), named('same'))).rejects.toEqual(invalid('workflow'));
  });

  test('a barrier that is not there, or cannot do local steps', async () => {
    @DtmWorkflow('barred', { barrier: 'redis' })
    class Barred {
      async run(): Promise<void> {}
    }
    await expect(start({}, Barred)).rejects.toEqual(invalid('barrier'));
    const call = async () => ({ ran: false, why: 'repeat' }) as const;
    await expect(start({ barrier: { redis: { call } } }, Barred)).rejects.toEqual(invalid('barrier'));
    await (await start({ barrier: { redis: mysqlBarrier(database.dataSource) } }, Barred)).close();
  });

  test('no address for the callback, one that is no URL', async () => {
    const module = await start({}, Scripted);
    const dtm = module.get(DtmService);
    await expect(dtm.workflow(newGid(), Scripted, {})).rejects.toEqual(invalid('workflowCallback'));
    await module.close();
    const workflowCallback = { url: 'ftp://x/y', requestSerialize: () => Buffer.alloc(0) };
    await expect(start({ workflowCallback })).rejects.toEqual(invalid('workflowCallback'));
  });
});

test('a barrier table without the column for results says so; one of another name gets it by its own migration', async () => {
  const runner = database.dataSource.createQueryRunner();
  await runner.query('CREATE TABLE other LIKE barrier');
  await runner.query('ALTER TABLE other DROP COLUMN result');
  const branch = { transType: 'workflow', gid: newGid(), branchId: '01', op: 'action' } as const;
  const barrier = mysqlBarrier(database.dataSource, { table: 'other' });
  await expect(barrier.step(branch, async () => 'kept')).rejects.toThrow(/add workflowMigration/);
  const migration = new (workflowMigrationFor('other'))();
  await migration.up(runner);
  await migration.up(runner);
  expect(await barrier.step(branch, async () => 'kept')).toEqual({ done: true, result: 'kept' });
  expect(await barrier.step(branch, async () => 'again')).toEqual({ done: true, result: 'kept' });
  const late = { ...branch, branchId: '02' };
  await barrier.stepBack({ ...late, op: 'rollback' }, async () => {
    throw new Error('there is nothing to take back');
  });
  expect(await barrier.step(late, async () => 'late')).toEqual({ done: false });
  await migration.down(runner);
  await runner.release();
});
