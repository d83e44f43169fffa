import { randomUUID } from 'node:crypto';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { type BranchAbout, type DtmObserver, Refusal } from '../src/index.js';
import { openTelemetryObserver } from '../src/observe/opentelemetry.js';
import { prometheusObserver } from '../src/observe/prometheus.js';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';
import { until } from './support/until.js';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(provider);

describe('observers', () => {
  const registry = new Registry();
  const seen: BranchAbout[] = [];
  const own: DtmObserver = {
    branch: (about, run) => {
      seen.push(about);
      return run();
    },
  };
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let caller: BranchCaller;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    const observers = [own, {}, prometheusObserver({ registry }), openTelemetryObserver()];
    bank = await startBank(database.dataSource, { observers }, { groupSize: 8 });
    caller = new BranchCaller(bank);
  });
  beforeEach(() => {
    exporter.reset();
    registry.resetMetrics();
    seen.length = 0;
  });
  afterAll(async () => {
    caller?.close();
    await bank?.close();
    await database?.drop();
  });

  async function count(name: string, labels: Record<string, string>): Promise<number> {
    const metric = await registry.getSingleMetric(name)?.get();
    const found = metric?.values.find(({ labels: all }) =>
      Object.entries(labels).every(([key, value]) => all[key as keyof typeof all] === value),
    );
    return found?.value ?? 0;
  }

  const branchCalls = (op: string, outcome: string) => count('dtm_branch_calls_total', { op, outcome });

  test('branch calls are counted by what they came to, and timed', async () => {
    const [rich, poor, odd] = [await bank.account(10), await bank.account(0), await bank.account(10)];
    const gid = randomUUID();
    const call = (account: string, change: object = {}) =>
      caller.grpc({ gid: randomUUID(), transfer: { account, amount: 1 }, ...change });
    bank.scripts.on(odd, 'action', () => {
      throw new Error('down');
    });
    bank.scripts.on(odd, 'compensate', () => {
      throw new Refusal('no');
    });
    await call(rich, { gid });
    await call(rich, { gid });
    await call(rich, { gid, op: 'compensate' });
    await call(rich, { op: 'compensate' });
    await call(rich, { op: 'compensate', gid: randomUUID(), transfer: { account: rich, amount: 0 } });
    await call(poor);
    await call(odd);
    expect(await branchCalls('action', 'done')).toBe(1);
    expect(await branchCalls('action', 'repeat')).toBe(1);
    expect(await branchCalls('compensate', 'done')).toBe(1);
    expect(await branchCalls('compensate', 'null-compensation')).toBe(2);
    expect(await branchCalls('action', 'refused')).toBe(1);
    expect(await branchCalls('action', 'retry')).toBe(1);
    expect(
      await count('dtm_branch_duration_seconds', { op: 'action', handler: 'BankSagaController.withdraw', le: '+Inf' }),
    ).toBe(4);
    expect(seen[0]).toMatchObject({ gid, branchId: '01', op: 'action', transType: 'saga', transport: 'grpc' });
  });

  test('submits are counted by what the submitter was told', async () => {
    const [rich, poor] = [await bank.account(10), await bank.account(0)];
    const saga = (account: string) =>
      bank.dtm.saga(randomUUID()).step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 1 });
    await saga(rich).submit({ fresh: true, waitResult: true });
    await saga(poor).submit({ fresh: true, waitResult: true });
    await expect(bank.dtm.saga(randomUUID()).submit()).rejects.toThrow();
    const submits = (outcome: string) => count('dtm_submits_total', { type: 'saga', server: 'default', outcome });
    expect(await submits('succeed')).toBe(1);
    expect(await submits('failed')).toBe(1);
    expect(await count('dtm_submit_duration_seconds', { type: 'saga', server: 'default', le: '+Inf' })).toBe(2);
  });

  test('spans join the submitter and its branches, also when a branch is called again', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    let attempts = 0;
    bank.scripts.on(account, 'action', () => {
      if (++attempts === 1) throw new Error('first time');
    });
    const tracer = provider.getTracer('test');
    const trace1 = await tracer.startActiveSpan('request', async (span) => {
      const saga = bank.dtm.saga(gid, { retryInterval: 1 });
      await saga.step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 1 }).submit({ fresh: true });
      span.end();
      return span.spanContext().traceId;
    });
    const spans = () => exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === trace1);
    await until('both calls', () => spans().length >= 4);
    const named = spans().map(({ name, attributes }) => `${name} ${attributes['dtm.outcome'] ?? ''}`.trim());
    expect(named.sort()).toEqual([
      'dtm action BankSagaController.withdraw done',
      'dtm action BankSagaController.withdraw retry',
      'dtm submit saga submitted',
      'request',
    ]);
    const submit = spans().find(({ name }) => name === 'dtm submit saga');
    for (const branch of spans().filter(({ name }) => name.startsWith('dtm action')))
      expect(branch.attributes).toMatchObject({ 'dtm.gid': gid, 'dtm.branch_id': '01', 'dtm.op': 'action' });
    expect(submit?.attributes).toMatchObject({ 'dtm.gid': gid, 'dtm.server': 'default' });
  });
});
