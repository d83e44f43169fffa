import { Test } from '@nestjs/testing';
import {
  DtmInvalidOption,
  DtmModule,
  type DtmModuleOptions,
  DtmService,
  httpBranch,
  type LocalStep,
  type MessageOptions,
  newGid,
  type SagaOptions,
} from '../src/index.js';
import { LocalTransaction } from '../src/mysql.js';
import { ordersByLevel } from '../src/saga/saga-options.js';
import { Bank, type Transfer } from './support/bank.js';

const good: DtmModuleOptions = {
  servers: { default: { grpc: '127.0.0.1:1', http: 'http://127.0.0.1:1' } },
  branches: { 'bank.Bank': '127.0.0.1:2' },
  signature: { keys: [{ id: 'k', secret: 'sixteen characters' }] },
};

async function start(options: DtmModuleOptions): Promise<DtmService> {
  const module = await Test.createTestingModule({
    imports: [DtmModule.forRootAsync({ inject: [], useFactory: () => options })],
  }).compile();
  return module.get(DtmService);
}

describe('a wrong module option fails when the module is built, with its name', () => {
  const server = good.servers.default as { grpc: string; http: string };
  const wrong: [string, Partial<DtmModuleOptions>][] = [
    ['servers.default.grpc', { servers: { default: { ...server, grpc: 'http://127.0.0.1:1' } } }],
    ['servers.default.http', { servers: { default: { ...server, http: '127.0.0.1:1' } } }],
    ['servers.default.deadlineMs', { servers: { default: { ...server, deadlineMs: 0 } } }],
    ['servers.other.waitDeadlineMs', { servers: { default: server, other: { ...server, waitDeadlineMs: 5000 } } }],
    ['servers.default.grpc', { servers: { default: { http: server.http } } }],
    ['servers.default.protocol', { servers: { default: { ...server, protocol: 'ftp' as 'http' } } }],
    ['branches.bank.Bank', { branches: { 'bank.Bank': 'http://127.0.0.1:2' } }],
    ['branches.bank.Bank', { branches: { 'bank.Bank': 'bank' } }],
    ['signature', { signature: undefined }],
    ['signature.keys', { signature: { keys: [] } }],
    ['signature.keys.0.id', { signature: { keys: [{ id: 'a.b', secret: 'sixteen characters' }] } }],
    ['signature.keys.0.secret', { signature: { keys: [{ id: 'a', secret: 'short' }] } }],
    ['signature.keys.0.secret', { signature: { keys: [{ id: 'a', secret: process.env.NEST_DTM_NO_SUCH_VARIABLE }] } }],
    ['servers.default.http', { servers: { default: { ...server, http: process.env.NEST_DTM_NO_SUCH_VARIABLE } } }],
    ['branches.bank.Bank', { branches: { 'bank.Bank': process.env.NEST_DTM_NO_SUCH_VARIABLE } }],
  ];
  /** What a caller without the compiler gives. */
  const untyped: [string, object][] = [
    ['servers', { servers: undefined }],
    ['servers', { servers: [server] }],
    ['servers.default', { servers: { default: undefined } }],
    ['servers.default', { servers: { default: 'http://127.0.0.1:1' } }],
    ['servers.default.http', { servers: { default: { grpc: server.grpc } } }],
    ['servers.default.http', { servers: { default: { ...server, http: 8080 } } }],
    ['servers.default.grpc', { servers: { default: { ...server, grpc: 8080 } } }],
    ['servers.default.grpc', { servers: { default: { ...server, grpc: null } } }],
    ['branches', { branches: null }],
    ['branches.bank.Bank', { branches: { 'bank.Bank': 50051 } }],
    ['signature', { signature: null }],
    ['signature', { signature: true }],
    ['signature', { signature: 'sixteen characters' }],
    ['signature.keys', { signature: {} }],
    ['signature.keys', { signature: { keys: 'sixteen characters' } }],
    ['signature.keys.0', { signature: { keys: [undefined] } }],
    ['signature.keys.0.id', { signature: { keys: [{ secret: 'sixteen characters' }] } }],
    ['signature.keys.0.id', { signature: { keys: [{ id: 1, secret: 'sixteen characters' }] } }],
    ['signature.keys.0.secret', { signature: { keys: [{ id: 'a' }] } }],
    ['signature.keys.0.secret', { signature: { keys: [{ id: 'a', secret: Buffer.alloc(16) }] } }],
    [
      'signature.keys.1.id',
      {
        signature: {
          keys: [
            { id: 'a', secret: 'sixteen characters' },
            { id: 'a', secret: 'sixteen others, too' },
          ],
        },
      },
    ],
    ['barrier', { barrier: null }],
    ['barrier.redis', { barrier: { redis: undefined } }],
    ['barrier.redis', { barrier: { redis: {} } }],
    ['workflowCallback', { workflowCallback: httpBranch('') }],
    ['workflowCallback', { workflowCallback: { requestSerialize: () => Buffer.alloc(0) } }],
    ['workflowCallback', { workflowCallback: 'http://x/y' }],
    ['classify', { classify: {} }],
    ['observers', { observers: {} }],
    ['observers.0', { observers: [undefined] }],
    ['shutdownTimeoutMs', { shutdownTimeoutMs: '10' }],
    ['branchSyncCheck', { branchSyncCheck: 'no' }],
  ];
  test.each([...wrong, ...untyped])('%s %j', async (field, change) => {
    await expect(start({ ...good, ...change } as DtmModuleOptions)).rejects.toMatchObject({
      name: 'DtmInvalidOption',
      field,
    });
  });

  test('options, when there are none', async () => {
    await expect(start(undefined as unknown as DtmModuleOptions)).rejects.toMatchObject({
      name: 'DtmInvalidOption',
      field: 'options',
    });
  });

  test('a secret does not stand in the error', async () => {
    const keys = [{ id: 'a', secret: 'fifteen letters' }];
    const error = await start({ ...good, signature: { keys } }).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(DtmInvalidOption);
    expect((error as Error).message).not.toContain('fifteen');
  });
});

describe('a wrong option of a saga fails when it is built, with its name', () => {
  let dtm: DtmService;
  const payload = { account: 'a', amount: 1 };
  beforeAll(async () => {
    dtm = await start(good);
  });
  afterAll(() => dtm.onApplicationShutdown());

  const invalid = (field: string) => expect.objectContaining({ code: 'DTM_INVALID_OPTION', field });

  test.each(['', 'a b', 'a;b', 'é', 'x'.repeat(129)])('gid %p', (gid) => {
    expect(() => dtm.saga(gid)).toThrow(DtmInvalidOption);
  });

  const options: [string, SagaOptions][] = [
    ['retryInterval', { retryInterval: -1 }],
    ['timeoutToFail', { timeoutToFail: 1.5 }],
    ['headers.X', { headers: { X: '' } }],
    ['headers.dtm-gid', { headers: { 'dtm-gid': '' } }],
    ['headers.a', { headers: { a: 'line\nbreak' } }],
    ['headers.a', { headers: { a: process.env.NEST_DTM_NO_SUCH_VARIABLE as string } }],
    ['customData', { customData: { note: 1n } }],
    ['orders', { orders: { 1: [0] } }],
    ['customData.orders', { customData: { orders: {} } }],
    ['server', { server: 'nowhere' }],
  ];
  test.each(options)('%s', (field, wrong) => {
    expect(() => dtm.saga(newGid(), wrong)).toThrow(invalid(field));
  });

  test('a service without an address', () => {
    const other = { ...Bank.withdraw, path: '/other.Service/Do' };
    expect(() => dtm.saga(newGid()).step(other, null, payload)).toThrow(invalid('steps.0.action'));
  });

  test('an address that is no URL', () => {
    expect(() => dtm.saga(newGid()).step(httpBranch('ftp://x/y'), null, payload)).toThrow(invalid('steps.0.action'));
  });

  test('an action and a compensation on two transports', () => {
    expect(() => dtm.saga(newGid()).step(Bank.withdraw, httpBranch<Transfer>('http://x/y'), payload)).toThrow(
      invalid('steps.0'),
    );
  });

  test('a payload over 64 KiB', () => {
    const big = { account: 'x'.repeat(65_536), amount: 1 };
    expect(() => dtm.saga(newGid()).step(Bank.withdraw, null, big)).toThrow(invalid('steps.0.payload'));
  });

  test('no step, more than 99', async () => {
    await expect(dtm.saga(newGid()).submit()).rejects.toEqual(invalid('steps'));
    const saga = dtm.saga(newGid());
    for (let step = 0; step < 99; step++) saga.step(Bank.withdraw, null, payload);
    expect(() => saga.step(Bank.withdraw, null, payload)).toThrow(invalid('steps'));
  });

  test.each<[number, Record<number, number[]>, Record<number, number[]>]>([
    [3, {}, {}],
    [3, { 2: [0, 1] }, { 2: [0, 1] }],
    [4, { 3: [0] }, { 3: [0, 1, 2] }],
    [5, { 1: [0], 2: [1], 4: [3] }, { 1: [0, 3], 2: [1, 4], 4: [0, 3] }],
  ])('the orders of %i steps, %p, are carried out level by level: %p', (steps, orders, leveled) => {
    expect(ordersByLevel(orders, steps)).toEqual(leveled);
  });

  test.each<Record<number, number[]>>([{ 1: [5] }, { 0: [1], 1: [0] }, { 0: [0] }])('orders %p', async (orders) => {
    const saga = dtm.saga(newGid(), { concurrent: true, orders });
    for (let step = 0; step < 2; step++) saga.step(Bank.withdraw, null, payload);
    await expect(saga.submit()).rejects.toEqual(invalid('orders'));
  });

  test('headers that do not fit into the column', async () => {
    const saga = dtm.saga(newGid(), { headers: { long: 'x'.repeat(1000) } }).step(Bank.withdraw, null, payload);
    await expect(saga.submit()).rejects.toEqual(invalid('headers'));
  });
});

describe('a wrong option of a message fails when it is built, with its name', () => {
  let dtm: DtmService;
  beforeAll(async () => {
    dtm = await start({
      ...good,
      servers: { ...good.servers, http: { http: 'http://127.0.0.1:1', protocol: 'http' } },
    });
  });
  afterAll(() => dtm.onApplicationShutdown());

  const invalid = (field: string) => expect.objectContaining({ code: 'DTM_INVALID_OPTION', field });
  const payload = { account: 'a', amount: 1 };
  const never = async (): Promise<never> => {
    throw new Error('the local step was begun');
  };
  const local: LocalStep<never> = { run: never, check: never };

  test.each<[string, MessageOptions]>([
    ['delay', { delay: -1 }],
    ['delay', { delay: 2 ** 31 }],
    ['timeoutToFail', { timeoutToFail: 0.5 }],
    ['requestTimeout', { requestTimeout: Number.NaN }],
    ['concurrent', { concurrent: true }],
    ['customData.delay', { customData: { delay: 3 } }],
  ])('%s', (field, wrong) => {
    expect(() => dtm.message(newGid(), wrong)).toThrow(invalid(field));
  });

  test('gid, topic, payload, no step, more than 99', async () => {
    expect(() => dtm.message('x'.repeat(129))).toThrow(invalid('gid'));
    expect(() => dtm.message(newGid()).topic('a/b', Bank.withdraw, payload)).toThrow(invalid('steps.0.topic'));
    expect(() => dtm.message(newGid()).step(Bank.withdraw, { account: 'x'.repeat(65_536), amount: 1 })).toThrow(
      invalid('steps.0.payload'),
    );
    await expect(dtm.message(newGid()).submit()).rejects.toEqual(invalid('steps'));
    const message = dtm.message(newGid());
    for (let step = 0; step < 99; step++) message.step(Bank.withdraw, payload);
    expect(() => message.step(Bank.withdraw, payload)).toThrow(invalid('steps'));
  });

  test('an empty back-check, which DTM would take for a yes', async () => {
    const message = dtm.message(newGid()).step(Bank.withdraw, payload);
    const send = (url: string) => message.prepareAndSubmit(local, { backCheck: httpBranch(url) });
    await expect(send('')).rejects.toEqual(invalid('backCheck'));
    await expect(message.prepareAndSubmit(local, { backCheck: { ...Bank.withdraw, path: '' } })).rejects.toEqual(
      invalid('backCheck'),
    );
  });

  test('custom data that does not fit into the column', async () => {
    const message = dtm.message(newGid(), { customData: { note: 'x'.repeat(1024) } }).step(Bank.withdraw, payload);
    await expect(message.submit()).rejects.toEqual(invalid('customData'));
  });

  test('a payload that is no text, to a server spoken to by HTTP', () => {
    const binary = { ...Bank.withdraw, requestSerialize: () => Buffer.from([0xff, 0xfe]) };
    expect(() => dtm.message(newGid(), { server: 'http' }).step(binary, payload)).toThrow(invalid('steps.0.payload'));
    expect(() => dtm.message(newGid()).step(binary, payload)).not.toThrow();
  });
});

test('LocalTransaction outside of a branch says so', () => {
  const tx = new LocalTransaction();
  expect(tx.active).toBe(false);
  expect(() => tx.branch).toThrow(/outside of a branch/);
});
