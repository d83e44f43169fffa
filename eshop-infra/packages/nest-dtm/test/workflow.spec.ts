import { isDeepStrictEqual } from 'node:util';
import { workflowService } from '../src/grpc.js';
import { DtmUnavailable, newGid, Ongoing, Refusal, type Transaction } from '../src/index.js';
import { DtmCaller, freePort } from '../src/testing/index.js';
import { SAID, signature } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { stores } from './support/env.js';
import { AMOUNT, type PlannerApp, type PlanStep, PlanWorkflow, startPlanner } from './support/plan.js';
import { type LossyProxy, startProxy } from './support/proxy.js';
import { gate, until } from './support/until.js';

const servers = [
  ...stores.map((server) => ({ ...server, protocol: 'grpc' as const, callback: 'grpc' })),
  { ...stores[0], protocol: 'grpc' as const, callback: 'http' },
  { ...stores[1], protocol: 'http' as const, callback: 'grpc' },
];

describe.each(servers)('workflow, DTM on $store, told by $protocol, resumes by $callback', (server) => {
  const { grpc, http, protocol } = server;
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let planner: PlannerApp;
  let proxy: LossyProxy;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    const told = protocol === 'grpc' && server.callback === 'grpc' ? grpc : http.slice('http://'.length);
    proxy = await startProxy(told);
    const proxied = told === grpc ? { grpc: proxy.address, http } : { grpc, http: `http://${proxy.address}` };
    const [closed, httpPort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${httpPort}/workflow`;
    planner = await startPlanner(
      database.dataSource,
      {
        servers: {
          default: { grpc, http, protocol },
          proxied: { ...proxied, protocol },
          down: { grpc: `127.0.0.1:${closed}`, http: `http://127.0.0.1:${closed}`, protocol, deadlineMs: 1_000 },
        },
        ...(server.callback === 'http' && { workflowCallback: { url, requestSerialize: () => Buffer.alloc(0) } }),
      },
      { httpPort },
      server.callback === 'http' ? 'express' : 'fastify',
    );
  });
  afterAll(async () => {
    await planner?.close();
    await proxy?.close();
    await database?.drop();
  });

  const run = (gid: string, steps: PlanStep[], options = {}) =>
    planner.dtm.workflow(gid, PlanWorkflow, { steps }, options);
  const stored = (gid: string, status: Transaction['status']): Promise<Transaction> =>
    until(`${gid} ${status}`, async () => {
      const transaction = await planner.dtm.query(gid);
      return transaction?.status === status && transaction;
    });
  const untouched = { balance: 10, hits: 0 };
  const takenBack = { balance: 10, hits: 2 };
  const taken = { balance: 10 - AMOUNT, hits: 1 };
  const confirmed = { balance: 10 - AMOUNT, hits: 2 };

  test('all steps succeed: all took effect, what was tried is confirmed, the value is returned', async () => {
    const gid = newGid();
    const [local, branch, tcc, over] = await Promise.all([1, 2, 3, 4].map(() => planner.account(10)));
    const steps: PlanStep[] = [
      { do: 'local', account: local as string },
      { do: 'branch', account: branch as string },
      { do: 'tcc', account: tcc as string },
      { do: 'http', account: over as string, at: planner.http },
      { do: 'record', name: gid },
    ];
    const value = [{ took: AMOUNT }, SAID, SAID, SAID, `${gid} #1`];
    expect(await run(gid, steps)).toEqual({ gid, status: 'succeed', value, repeat: false });
    const states = await Promise.all([local, branch, tcc, over].map((account) => planner.state(account as string)));
    expect(states).toEqual([taken, taken, confirmed, taken]);
    expect(await planner.dtm.query(gid)).toMatchObject({ transType: 'workflow', status: 'succeed' });
  });

  test('a repeat of a finished workflow gives its result again, which DTM tells by query only', async () => {
    const [gid, account] = [newGid(), await planner.account(10)];
    const steps: PlanStep[] = [
      { do: 'local', account },
      { do: 'record', name: gid },
    ];
    const { value } = await run(gid, steps);
    expect(await run(gid, [])).toEqual({ gid, status: 'succeed', value, repeat: true });
    expect(await planner.state(account)).toEqual(taken);
  });

  test.each([0, 1, 2, 3])(
    'a refusal at step %#: finished steps are taken back, the refused one is neutralised',
    async (at) => {
      const gid = newGid();
      const kinds = ['local', 'branch', 'tcc', 'local'] as const;
      const accounts = await Promise.all(kinds.map((_, index) => planner.account(index === at ? 1 : 10)));
      const steps = kinds.map((kind, index): PlanStep => ({ do: kind, account: accounts[index] as string }));
      const refusal = new Refusal(`${accounts[at]} has not enough`);
      await expect(run(gid, steps)).rejects.toEqual(refusal);
      const states = await Promise.all(accounts.map((account) => planner.state(account)));
      const expected = accounts.map((_, index) =>
        index < at ? takenBack : index === at ? { balance: 1, hits: 0 } : untouched,
      );
      expect(states).toEqual(expected);
      const branchId = `0${at + 1}`;
      const rows = await planner.barrierRows(gid);
      expect(rows.filter((row) => row.startsWith(branchId))).toEqual([
        `${branchId} action rollback`,
        // A branch's refusal is final where it was given; a local step's is the workflow's to remember.
        `${branchId} rollback ${kinds[at] === 'local' ? 'rollback' : refusal.message}`,
      ]);
      expect(rows).toHaveLength(2 * (at + 1));
      expect(await planner.dtm.query(gid)).toMatchObject({ status: 'failed', rollbackReason: refusal.message });
      // A repeat is refused too, and nothing runs.
      await expect(run(gid, steps)).rejects.toEqual(refusal);
      expect(await Promise.all(accounts.map((account) => planner.state(account)))).toEqual(expected);
    },
  );

  test('steps are taken back in reverse order', async () => {
    const [gid, one, two] = [newGid(), await planner.account(10), await planner.account(10)];
    const steps: PlanStep[] = [
      { do: 'local', account: one },
      { do: 'branch', account: two },
      { do: 'refuse', why: 'changed my mind' },
    ];
    await expect(run(gid, steps)).rejects.toEqual(new Refusal('changed my mind'));
    expect(planner.scripts.calls.filter((call) => call.startsWith(one) || call.startsWith(two))).toEqual([
      `${one} action`,
      `${two} action`,
      `${two} rollback`,
      `${one} rollback`,
    ]);
    expect([await planner.state(one), await planner.state(two)]).toEqual([takenBack, takenBack]);
  });

  test('a refusal that the workflow swallows rolls it back all the same', async () => {
    const [gid, good, poor] = [newGid(), await planner.account(10), await planner.account(1)];
    const steps: PlanStep[] = [
      { do: 'local', account: good },
      { do: 'branch', account: poor, swallow: true },
    ];
    await expect(run(gid, steps)).rejects.toEqual(new Refusal(`${poor} has not enough`));
    expect(await planner.state(good)).toEqual(takenBack);
  });

  test.each(['local', 'branch'] as const)(
    'a transient error at a %s step: DTM resumes it, finished steps do not run again',
    async (kind) => {
      const [gid, one, two] = [newGid(), await planner.account(10), await planner.account(10)];
      let failed = false;
      planner.scripts.on(two, 'action', () => {
        if (failed) return;
        failed = true;
        throw new Error('not today');
      });
      const steps: PlanStep[] = [
        { do: 'local', account: one },
        { do: 'record', name: gid },
        { do: kind, account: two },
      ];
      const result = await run(gid, steps, { retryInterval: 1 });
      expect(result).toMatchObject({ status: 'submitted', reason: expect.stringContaining('not today') });
      await stored(gid, 'succeed');
      expect([await planner.state(one), await planner.state(two)]).toEqual([taken, taken]);
      expect(planner.scripts.count(one, 'action')).toBe(1);
      const { value } = await run(gid, steps);
      expect(value).toEqual([{ took: AMOUNT }, `${gid} #1`, kind === 'local' ? { took: AMOUNT } : SAID]);
    },
  );

  test('a workflow that is resumed gets the replies of its branches again, which do not run again', async () => {
    const [gid, one, two, three] = [newGid(), ...(await Promise.all([1, 2, 3].map(() => planner.account(10))))];
    let failed = false;
    planner.records.on(gid, () => {
      if (failed) return 'here';
      failed = true;
      throw new Error('not today');
    });
    const steps: PlanStep[] = [
      { do: 'branch', account: one as string },
      { do: 'http', account: two as string, at: planner.http },
      { do: 'tcc', account: three as string },
      { do: 'record', name: gid },
    ];
    expect(await run(gid, steps, { retryInterval: 1 })).toMatchObject({ status: 'submitted' });
    await stored(gid, 'succeed');
    expect(await run(gid, steps)).toMatchObject({ value: [SAID, SAID, SAID, 'here'], repeat: true });
    const ran = [one, two, three].map((account) => planner.scripts.count(account as string, 'action'));
    expect(ran).toEqual([1, 1, 1]);
  });

  test('a step that is not there yet: DTM resumes the workflow', async () => {
    const gid = newGid();
    let asked = false;
    planner.records.on(gid, () => {
      if (asked) return 'here';
      asked = true;
      throw new Ongoing('not yet');
    });
    expect(await run(gid, [{ do: 'record', name: gid }], { retryInterval: 1 })).toMatchObject({ status: 'submitted' });
    await stored(gid, 'succeed');
    expect(await run(gid, [])).toMatchObject({ value: ['here'], repeat: true });
  });

  test('an error while it is taken back: refused at once, DTM goes on taking it back', async () => {
    const [gid, one, two] = [newGid(), await planner.account(10), await planner.account(10)];
    let failed = false;
    planner.scripts.on(one, 'rollback', () => {
      if (failed) return;
      failed = true;
      throw new Error('not today');
    });
    const steps: PlanStep[] = [
      { do: 'local', account: one },
      { do: 'branch', account: two },
      { do: 'refuse', why: 'no' },
    ];
    await expect(run(gid, steps, { retryInterval: 1 })).rejects.toEqual(new Refusal('no'));
    expect((await planner.dtm.query(gid))?.status).toBe('prepared');
    await stored(gid, 'failed');
    expect([await planner.state(one), await planner.state(two)]).toEqual([takenBack, takenBack]);
  });

  test('the same gid 8 times at once, and afterwards: one effect, true answers', async () => {
    const [gid, one, two] = [newGid(), await planner.account(10), await planner.account(10)];
    const steps: PlanStep[] = [
      { do: 'local', account: one },
      { do: 'branch', account: two },
      { do: 'record', name: gid },
    ];
    const results = await Promise.all(Array.from({ length: 8 }, () => run(gid, steps)));
    results.push(await run(gid, steps));
    for (const { status, value } of results) {
      expect({ status, value }).toEqual({ status: 'succeed', value: [{ took: AMOUNT }, SAID, `${gid} #1`] });
    }
    expect(results.filter(({ repeat }) => !repeat)).toHaveLength(1);
    expect([await planner.state(one), await planner.state(two)]).toEqual([taken, taken]);
  });

  test('DTM asks while the first run still goes on: in one process it is told so', async () => {
    const [gid, entered, leave] = [newGid(), gate(), gate()];
    planner.records.on(gid, async () => {
      entered.open();
      await leave.opened;
    });
    const running = run(gid, [{ do: 'record', name: gid }]);
    await entered.opened;
    const caller = new DtmCaller({ signature, grpcAddress: planner.grpcAddress, http: planner.http });
    const who = { gid, op: 'plan', branchId: '00', transType: 'workflow' };
    expect(await caller.grpc(workflowService.execute, who, {})).toEqual({ status: 9, text: 'is under way' });
    expect((await caller.http('/workflow', who, { input: {} })).status).toBe(425);
    leave.open();
    expect(await running).toMatchObject({ status: 'succeed' });
    // What comes late finds it done.
    expect((await caller.grpc(workflowService.execute, who, {})).status).toBe(0);
    expect((await caller.http('/workflow', who, { input: {} })).status).toBe(200);
    caller.close();
  });

  test('a workflow that takes long does not keep DTM waiting', async () => {
    const [gid, leave] = [newGid(), gate()];
    let fail = true;
    planner.records.on(gid, async () => {
      if (fail) throw new Error('first time');
      await leave.opened;
    });
    await run(gid, [{ do: 'record', name: gid }]);
    fail = false;
    const caller = new DtmCaller({ signature, grpcAddress: planner.grpcAddress, http: planner.http });
    const who = { gid, op: 'plan', branchId: '00', transType: 'workflow' };
    expect(await caller.grpc(workflowService.execute, who, {})).toEqual({ status: 9, text: 'goes on' });
    leave.open();
    caller.close();
    await stored(gid, 'succeed');
  });

  test('two processes at once: single effects, one answer', async () => {
    const other = await startPlanner(database.dataSource, {
      servers: { default: { grpc, http, protocol } },
      branches: { 'bank.Bank': planner.grpcAddress, 'workflow.Workflow': planner.grpcAddress },
    });
    for (let round = 0; round < 5; round++) {
      const [gid, one, two, three] = [
        newGid(),
        await planner.account(10),
        await planner.account(10),
        await planner.account(10),
      ];
      const steps: PlanStep[] = [
        { do: 'record', name: gid },
        { do: 'local', account: one },
        { do: 'branch', account: two },
        { do: 'tcc', account: three },
      ];
      const results = await Promise.all([planner, other].map(({ dtm }) => dtm.workflow(gid, PlanWorkflow, { steps })));
      await stored(gid, 'succeed');
      const [first, second] = results.filter(({ status }) => status === 'succeed');
      if (first && second) expect(second.value).toEqual(first.value);
      await until('all is confirmed', async () =>
        isDeepStrictEqual(await Promise.all([one, two, three].map((account) => planner.state(account))), [
          taken,
          taken,
          confirmed,
        ]),
      );
    }
    await other.close();
  });

  test('two processes at once, and refused: taken back once', async () => {
    const other = await startPlanner(database.dataSource, {
      servers: { default: { grpc, http, protocol } },
      branches: { 'bank.Bank': planner.grpcAddress, 'workflow.Workflow': planner.grpcAddress },
    });
    for (let round = 0; round < 5; round++) {
      const [gid, one, two, poor] = [
        newGid(),
        await planner.account(10),
        await planner.account(10),
        await planner.account(1),
      ];
      const steps: PlanStep[] = [
        { do: 'local', account: one },
        { do: 'branch', account: two },
        { do: 'local', account: poor },
      ];
      const results = await Promise.allSettled(
        [planner, other].map(({ dtm }) => dtm.workflow(gid, PlanWorkflow, { steps }, { retryInterval: 1 })),
      );
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toEqual(new Refusal(`${poor} has not enough`));
        else expect(result.value.status).toBe('submitted');
      }
      await stored(gid, 'failed');
      const states = await Promise.all([one, two, poor].map((account) => planner.state(account)));
      expect(states).toEqual([takenBack, takenBack, { balance: 1, hits: 0 }]);
    }
    await other.close();
  });

  test('a run that another process has overtaken takes what that one has', async () => {
    const [gid, account, entered, leave] = [newGid(), await planner.account(10), gate(), gate()];
    planner.records.on(gid, async () => {
      entered.open();
      await leave.opened;
      return 'late';
    });
    const other = await startPlanner(database.dataSource, { servers: { default: { grpc, http, protocol } } });
    const steps: PlanStep[] = [
      { do: 'record', name: gid },
      { do: 'local', account },
    ];
    const slow = run(gid, steps);
    await entered.opened;
    const value = [`${gid} #1`, { took: AMOUNT }];
    expect(await other.dtm.workflow(gid, PlanWorkflow, { steps })).toMatchObject({ value, repeat: false });
    leave.open();
    expect(await slow).toMatchObject({ status: 'succeed', value, repeat: true });
    expect(await planner.state(account)).toEqual(taken);
    await other.close();
  });

  test('a lost reply to prepare, to a step or to submit: one effect, true answers', async () => {
    for (const point of ['prepare', 'step', 'submit']) {
      const [gid, warm, account] = [newGid(), newGid(), await planner.account(10)];
      await run(warm, [], { server: 'proxied' });
      const lose = (told: () => Promise<unknown>): void => {
        proxy.dropReplies();
        void until('DTM has it', told).then(() => proxy.cut());
      };
      const steps = async () => (await planner.dtm.query(gid))?.branches.length;
      planner.records.on(gid, () => {
        if (point === 'step') lose(async () => ((await steps()) ?? 0) >= 1);
        return 'recorded';
      });
      planner.scripts.on(account, 'action', () => {
        if (point === 'submit') lose(async () => (await planner.dtm.query(gid))?.status === 'succeed');
      });
      if (point === 'prepare') lose(() => planner.dtm.query(gid));
      const plan: PlanStep[] = [
        { do: 'record', name: gid },
        { do: 'local', account },
      ];
      const { status } = await run(gid, plan, { server: 'proxied', retryInterval: 1 });
      expect(['succeed', 'submitted']).toContain(status);
      await stored(gid, 'succeed');
      expect(await planner.state(account)).toEqual(taken);
      expect(await run(gid, [])).toMatchObject({ value: ['recorded', { took: AMOUNT }], repeat: true });
    }
  });

  test('DTM down: DtmUnavailable within the deadline, nothing has run', async () => {
    const [gid, started] = [newGid(), performance.now()];
    await expect(run(gid, [{ do: 'record', name: gid }], { server: 'down' })).rejects.toBeInstanceOf(DtmUnavailable);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(planner.records.ran).not.toContain(gid);
  });

  test('a server with a name: resumed from there', async () => {
    const gid = newGid();
    let asked = false;
    planner.records.on(gid, () => {
      if (asked) return 'here';
      asked = true;
      throw new Error('not yet');
    });
    await run(gid, [{ do: 'record', name: gid }], { server: 'proxied', retryInterval: 1 });
    await stored(gid, 'succeed');
  });
});
