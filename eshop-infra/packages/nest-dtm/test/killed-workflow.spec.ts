import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { DtmWorkflow, newGid, Ongoing, Refusal, type Transaction, type Workflow } from '../src/index.js';
import { LocalTransaction } from '../src/mysql.js';
import { Accounts, Bank, Scripts, signature } from './support/bank.js';
import { compiledLibrary } from './support/compiled-library.js';
import { throwAwayDatabase } from './support/database.js';
import { env, stores } from './support/env.js';
import { type PlannerApp, startPlanner } from './support/plan.js';
import { until } from './support/until.js';

const runner = fileURLToPath(new URL('./support/workflow-runner.mjs', import.meta.url));

/** Accounts of the workflow under test, by gid: the process that was killed had them in its instructions. */
@Injectable()
class Instructions {
  readonly accounts = new Map<string, { local: string; remote: string; last: string }>();
  /** Workflows whose first process is dead. */
  readonly orphans = new Set<string>();
}

/** The same workflow as the process that is killed has it. */
@DtmWorkflow('killed')
class KilledWorkflow {
  constructor(
    private readonly instructions: Instructions,
    private readonly accounts: Accounts,
    private readonly scripts: Scripts,
    private readonly tx: LocalTransaction,
  ) {}

  async run(workflow: Workflow, { refuse }: { refuse: boolean }): Promise<string> {
    // On a busy machine DTM comes before the first process has got to its end; both would then share the steps.
    if (!this.instructions.orphans.has(workflow.gid)) throw new Ongoing('the first process lives');
    const { local, remote, last } = this.instructions.accounts.get(workflow.gid) ?? { local: '', remote: '', last: '' };
    const add = async (account: string, amount: number): Promise<void> => {
      await this.scripts.run(account, this.tx);
      await this.accounts.add(account, amount);
    };
    const { token } = await workflow.local(
      'take',
      async () => {
        await add(local, -3);
        return { token: 'of the one who resumed it' };
      },
      () => add(local, 3),
    );
    await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account: remote, amount: 3 });
    await workflow.local(
      'take more',
      () => add(last, -3),
      () => add(last, 3),
    );
    if (refuse) throw new Refusal('no');
    return token;
  }
}

// A process is started, and DTM comes again after 10 s only when the first time was in vain.
const LIMIT_MS = 60_000;

/** For both stores: to compile it is most of the work. */
let library: ReturnType<typeof compiledLibrary>;
beforeAll(() => {
  library = compiledLibrary();
}, 60_000);
afterAll(() => library?.remove());

describe.each(stores)('a process killed in a workflow, resumed by another, DTM on $store', ({ grpc, http }) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let planner: PlannerApp;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    planner = await startPlanner(
      database.dataSource,
      { servers: { default: { grpc, http } } },
      { providers: [KilledWorkflow, Instructions] },
    );
  });
  afterAll(async () => {
    await planner?.close();
    await database?.drop();
  });

  /** Runs the workflow in a process until that is dead; then DTM resumes it here. */
  async function killed(point: string): Promise<{ gid: string; local: string; remote: string; last: string }> {
    const gid = newGid();
    const [local, remote, last] = [await planner.account(10), await planner.account(10), await planner.account(10)];
    planner.app.get(Instructions).accounts.set(gid, { local, remote, last });
    const instructions = {
      library: library.dir,
      servers: { default: { grpc, http } },
      branches: { 'bank.Bank': planner.grpcAddress, 'workflow.Workflow': planner.grpcAddress },
      signature,
      mysqlUrl: `${env.mysqlUrl}/${database.name}`,
      gid,
      local,
      remote,
      last,
      point,
      options: { retryInterval: 2 },
    };
    const child = spawn(process.execPath, [runner, JSON.stringify(instructions)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (point === 'in the branch of step 02') {
      planner.scripts.on(remote, 'action', () => {
        child.kill('SIGKILL');
      });
    }
    const signal = await new Promise((resolve) => {
      child.once('exit', (_code, by) => resolve(by));
    });
    expect(signal).toBe('SIGKILL');
    planner.app.get(Instructions).orphans.add(gid);
    return { gid, local, remote, last };
  }

  const stored = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(
      `${gid} ${status}`,
      async () => {
        const transaction = await planner.dtm.query(gid);
        return transaction?.status === status && transaction;
      },
      45_000,
    );
  const taken = { balance: 7, hits: 1 };
  const takenBack = { balance: 10, hits: 2 };

  test.each([
    ['before the first step', 'of the one who resumed it'],
    ['in the transaction of step 01', 'of the one who resumed it'],
    ['after the commit of step 01', 'of the one who did it'],
    ['after step 01', 'of the one who did it'],
    ['in the branch of step 02', 'of the one who did it'],
    ['after step 02', 'of the one who did it'],
    ['after the commit of step 03', 'of the one who did it'],
    ['before the submit', 'of the one who did it'],
    ['after the submit', 'of the one who did it'],
  ])(
    '%s: goes on to the end, no step is doubled, no result is lost',
    async (point, token) => {
      const { gid, local, remote, last } = await killed(point);
      await stored(gid, 'succeed');
      const states = await Promise.all([local, remote, last].map((account) => planner.state(account)));
      expect(states).toEqual([taken, taken, taken]);
      expect(await planner.dtm.workflow(gid, KilledWorkflow, { refuse: false })).toMatchObject({
        value: token,
        repeat: true,
      });
    },
    LIMIT_MS,
  );

  test.each([
    'after step 03 was taken back',
    'in the transaction that takes step 01 back',
    'after step 01 was taken back',
  ])(
    '%s: goes on taking back, nothing twice',
    async (point) => {
      const { gid, local, remote, last } = await killed(point);
      await stored(gid, 'failed');
      const states = await Promise.all([local, remote, last].map((account) => planner.state(account)));
      expect(states).toEqual([takenBack, takenBack, takenBack]);
      await expect(planner.dtm.workflow(gid, KilledWorkflow, { refuse: false })).rejects.toEqual(new Refusal('no'));
    },
    LIMIT_MS,
  );
});
