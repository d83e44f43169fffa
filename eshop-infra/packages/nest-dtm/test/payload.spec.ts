import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  type BranchMethod,
  DtmInvalidOption,
  DtmModule,
  DtmService,
  DtmWorkflow,
  httpBranch,
  newGid,
  type Transaction,
  type Workflow,
} from '../src/index.js';
import { Bank, type Transfer } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { type PlannerApp, startPlanner } from './support/plan.js';
import { until } from './support/until.js';

/** A message with something of any type in it. */
interface Note {
  note: unknown;
}

function holdingItself(): object {
  const note: { inner?: unknown } = {};
  note.inner = { note };
  return note;
}

/** What JSON drops, changes or chokes on. */
const unfit: [string, unknown][] = [
  ['a bigint', 1n],
  ['a function', () => 1],
  ['a symbol', Symbol('x')],
  ['NaN', Number.NaN],
  ['an infinite number', -Infinity],
  ['a Map', new Map([[1, 2]])],
  ['a Set', new Set([1])],
  ['a WeakMap', new WeakMap()],
  ['an error', new Error('lost')],
  ['a regular expression', /x/],
  ['a promise', Promise.resolve(1)],
  ['bytes', new Uint8Array([1, 2])],
  ['an invalid date', new Date(Number.NaN)],
  ['headers', new Headers({ a: 'b' })],
  ['undefined in an array', [1, undefined]],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tried
  ['a hole in an array', [1, , 3]],
  ['an array with names', Object.assign([1], { name: 'x' })],
  ['a symbol as a key', { [Symbol('x')]: 1 }],
  ['something deep within', { a: [{ b: new Map() }] }],
  ['what holds itself', holdingItself()],
  [
    'a toJSON that throws',
    {
      toJSON: () => {
        throw new Error('not me');
      },
    },
  ],
  ['a toJSON that gives a bigint', { toJSON: () => 1n }],
];

/** What it carries, and what arrives. */
const fit: [string, unknown, unknown][] = [
  ['nothing', null, null],
  ['a text', 'ü\u{1f600}', 'ü\u{1f600}'],
  ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['a URL', new URL('http://x/y'), 'http://x/y'],
  ['a property that is undefined', { a: 1, b: undefined }, { a: 1 }],
  ['one object in two places', Array(2).fill({ a: 1 }), [{ a: 1 }, { a: 1 }]],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  [
    'a class of its own',
    new (class Point {
      readonly x = 1;
    })(),
    { x: 1 },
  ],
];

const nowhere = { grpc: '127.0.0.1:1', http: 'http://127.0.0.1:1' };

describe('a payload that cannot be carried is refused when the step is built', () => {
  let dtm: DtmService;
  beforeAll(async () => {
    const options = {
      servers: { default: nowhere },
      branches: { 'bank.Bank': '127.0.0.1:2' },
      signature: false,
    } as const;
    const module = await Test.createTestingModule({ imports: [DtmModule.forRoot(options)] }).compile();
    dtm = module.get(DtmService);
  });
  afterAll(() => dtm.onApplicationShutdown());

  const note = httpBranch<Note>('http://x/note');
  const refused = (gid: string, field = 'steps.0.payload') =>
    expect.objectContaining({
      name: 'DtmInvalidOption',
      code: 'DTM_INVALID_OPTION',
      field,
      gid,
      cause: expect.any(Error),
    });

  test.each(unfit)('over HTTP: %s', (_, value) => {
    const gid = newGid();
    expect(() => dtm.saga(gid).step(note, null, { note: value })).toThrow(refused(gid));
    expect(() => dtm.saga(gid).step(httpBranch<unknown>('http://x/y'), null, value)).toThrow(refused(gid));
    expect(() => dtm.message(gid).step(note, { note: value })).toThrow(refused(gid));
    expect(() => dtm.message(gid).topic('topic', note, { note: value })).toThrow(refused(gid));
  });

  test.each(fit)('but not %s', (_, value, arrives) => {
    expect(JSON.parse(Buffer.from(note.requestSerialize({ note: value })).toString())).toEqual({ note: arrives });
  });

  test('the error says where', () => {
    const saga = dtm.saga(newGid()).step(note, null, { note: 1 });
    const wrong = { note: { items: [{ price: 1 }, { price: Number.NaN }] } };
    expect(() => saga.step(note, null, wrong)).toThrow(/^steps\.1\.payload: .*"note\.items\.1\.price" is NaN/);
  });

  test.each<[string, BranchMethod<Note & Transfer>]>([
    ['HTTP', note],
    ['gRPC', Bank.withdraw],
  ])('undefined over %s, in a saga and in a message', (_, method) => {
    const undefinedPayload = expect.objectContaining({ name: 'DtmInvalidOption', field: 'steps.0.payload' });
    const nothing = undefined as unknown as Note & Transfer;
    expect(() => dtm.saga(newGid()).step(method, null, nothing)).toThrow(undefinedPayload);
    expect(() => dtm.message(newGid()).step(method, nothing)).toThrow(undefinedPayload);
  });

  test('a codec that throws, or gives no bytes', () => {
    const gid = newGid();
    const cause = new TypeError('no such field');
    const throwing = {
      ...Bank.withdraw,
      requestSerialize: () => {
        throw cause;
      },
    };
    const payload = { account: 'a', amount: 1 };
    expect(() => dtm.saga(gid).step(throwing, null, payload)).toThrow(
      expect.objectContaining({
        field: 'steps.0.payload',
        gid,
        cause,
        message: expect.stringContaining('no such field'),
      }),
    );
    const odd = { ...Bank.withdraw, requestSerialize: () => 'text' as unknown as Buffer };
    expect(() => dtm.saga(gid).step(odd, null, payload)).toThrow(
      expect.objectContaining({ name: 'DtmInvalidOption', field: 'steps.0.payload' }),
    );
  });

  test('a step that was refused leaves nothing behind', () => {
    const saga = dtm.saga(newGid());
    expect(() => saga.step(note, null, { note: 1n })).toThrow(DtmInvalidOption);
    expect(() => saga.step(note, null, { note: 1n })).toThrow(refused(saga.gid, 'steps.0.payload'));
  });
});

@Injectable()
@DtmWorkflow('unfit')
class Unfit {
  async run(workflow: Workflow, { how, account, at }: { how: string; account: string; at: string }): Promise<unknown> {
    await workflow.branch(Bank.withdraw, Bank.withdrawRevert, { account, amount: 3 });
    const over = (path: string) => httpBranch<Note>(`${at}/${path}`);
    if (how === 'http payload') await workflow.branch(over('withdraw'), over('withdrawRevert'), { note: 1n });
    if (how === 'grpc payload')
      await workflow.branch(Bank.withdraw, Bank.withdrawRevert, undefined as unknown as Transfer);
    if (how === 'tcc payload') await workflow.tcc(over('withdraw'), over('confirm'), over('cancel'), { note: 1n });
    if (how === 'record') await workflow.record('lost', async () => new Map());
    if (how === 'local') await workflow.local('lost', async () => ({ at: Number.NaN }), null);
    return how === 'result' ? () => 1 : {};
  }
}

describe('in a workflow', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let planner: PlannerApp;
  beforeAll(async () => {
    database = await throwAwayDatabase();
    planner = await startPlanner(database.dataSource, {}, { providers: [Unfit] });
  });
  afterAll(async () => {
    await planner?.close();
    await database?.drop();
  });

  test.each([
    ['http payload', 'steps.1.payload'],
    ['grpc payload', 'steps.1.payload'],
    ['tcc payload', 'steps.1.payload'],
    ['record', 'steps.lost'],
    ['local', 'steps.lost'],
    ['result', 'result'],
  ])('what cannot be carried takes all back: %s', async (how, field) => {
    const [gid, account] = [newGid(), await planner.account(10)];
    await expect(planner.dtm.workflow(gid, Unfit, { how, account, at: planner.http })).rejects.toMatchObject({
      name: 'DtmInvalidOption',
      field,
    });
    const ended = await until(`${gid} failed`, async (): Promise<Transaction | false> => {
      const stored = await planner.dtm.query(gid);
      return stored?.status === 'failed' && stored;
    });
    expect(ended.rollbackReason).toContain(field);
    expect(await planner.state(account)).toEqual({ balance: 10, hits: 2 });
  });

  test.each(unfit)('an input that cannot be carried is refused before anything is sent: %s', async (_, account) => {
    const gid = newGid();
    const input = { how: '', account: account as string, at: '' };
    await expect(planner.dtm.workflow(gid, Unfit, input)).rejects.toMatchObject({
      name: 'DtmInvalidOption',
      field: 'input',
      gid,
    });
    expect(await planner.dtm.query(gid)).toBeNull();
  });
});
