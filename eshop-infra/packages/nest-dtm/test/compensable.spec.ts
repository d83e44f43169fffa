import { Controller, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  type BranchMethod,
  compensable,
  DtmAction,
  DtmBranches,
  DtmCompensation,
  DtmModule,
  httpBranch,
  newGid,
  Refusal,
  tccBranch,
} from '../src/index.js';
import { backCheckOf, DtmCaller, transactionEnd } from '../src/testing/index.js';
import { transports } from './support/adapters.js';
import { signature } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { env } from './support/env.js';
import { hear } from './support/log.js';
import { until } from './support/until.js';
import { Hold, over, Payment, Spend, type Sum, startWallet, Wallet, type WalletApp } from './support/wallet.js';

const invalid = (field: string) => expect.objectContaining({ name: 'DtmInvalidOption', field });
const RETRY = { grpc: 14, http: 503 };
const OK = { grpc: 0, http: 200 };

const fail = (): never => {
  throw new Error('nothing was to be done');
};

describe.each(transports)('methods that are paired, served over %s (%s)', (transport, adapter) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let wallet: WalletApp;
  let caller: DtmCaller;
  let methods: ReturnType<typeof over>;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    wallet = await startWallet(database.dataSource, {}, adapter);
    caller = new DtmCaller({ signature, grpcAddress: wallet.grpcAddress, http: wallet.http });
    methods = transport === 'grpc' ? { Payment, Hold } : over(wallet.http);
  });
  afterAll(async () => {
    caller?.close();
    await wallet?.close();
    await database?.drop();
  });

  const sum = { cents: 1 };
  const ended = async (gid: string): Promise<string> => (await transactionEnd(wallet.dtm, gid)).status;

  test('a saga of pairs takes effect, and is taken back', async () => {
    const [good, bad] = [newGid(), newGid()];
    await wallet.dtm.saga(good).step(methods.Payment, sum).submit();
    await wallet.dtm.saga(bad).step(methods.Payment, sum).step(methods.Payment, { cents: 101 }).submit();
    expect([await ended(good), await ended(bad)]).toEqual(['succeed', 'failed']);
    expect(wallet.ran.of(good)).toEqual(['01 action pay']);
    expect(wallet.ran.of(bad)).toEqual(['01 action pay', '02 action pay', '01 compensate payBack']);
  });

  test('a TCC is confirmed, and cancelled', async () => {
    const [good, bad] = [newGid(), newGid()];
    await wallet.dtm.tcc(good, (tcc) => tcc.branch(methods.Hold, sum), { waitResult: true });
    const tried = wallet.dtm.tcc(bad, async (tcc) => {
      await tcc.branch(methods.Hold, sum);
      await tcc.branch(methods.Hold, { cents: 101 });
    });
    await expect(tried).rejects.toEqual(new Refusal('too much'));
    expect([await ended(good), await ended(bad)]).toEqual(['succeed', 'failed']);
    expect(wallet.ran.of(good)).toEqual(['01 try hold', '01 confirm book']);
    expect(wallet.ran.of(bad)).toEqual(['01 try hold', '02 try hold', '01 cancel release']);
  });

  test('a workflow takes both', async () => {
    const [good, bad] = [newGid(), newGid()];
    const at = transport === 'http' ? { at: wallet.http } : {};
    await wallet.dtm.workflow(good, Spend, { steps: [at, { ...at, hold: true }] });
    const steps = [at, { ...at, hold: true }, { ...at, cents: 101 }];
    await expect(wallet.dtm.workflow(bad, Spend, { steps })).rejects.toEqual(new Refusal('too much'));
    expect(wallet.ran.of(good)).toEqual(['01 action pay', '02 action hold', '02 commit book']);
    expect(wallet.ran.of(bad)).toEqual([
      '01 action pay',
      '02 action hold',
      '03 action pay',
      '02 rollback release',
      '01 rollback payBack',
    ]);
  });

  test('a message takes the action', async () => {
    const gid = newGid();
    await wallet.dtm.message(gid).step(methods.Payment.action, sum).submit({ waitResult: true });
    expect(wallet.ran.of(gid)).toEqual(['01 action pay']);
  });

  test('an action and a compensation that somebody swapped: neither runs, DTM repeats, the log says why', async () => {
    const [gid, heard] = [newGid(), hear(wallet.app)];
    // Without their pair nothing tells the submitter.
    const [pay, payBack]: BranchMethod<Sum>[] =
      transport === 'grpc'
        ? [Wallet.pay, Wallet.PayBack]
        : [httpBranch(`${wallet.http}/pay`), httpBranch(`${wallet.http}/pay-back`)];
    await wallet.dtm
      .saga(gid, { retryInterval: 1 })
      .step(payBack as BranchMethod<Sum>, pay as BranchMethod<Sum>, sum)
      .submit({ fresh: true });
    const line = `branch ${gid}/01 action will be called again: WalletBranches.payBack has the role compensation and was called for action`;
    await until('two calls', async () => heard.error.filter((text) => text.startsWith(line)).length > 1);
    expect((await wallet.dtm.query(gid))?.status).toBe('submitted');
    expect(wallet.ran.of(gid)).toEqual([]);
    await fetch(`${env.dtmHttp}/api/dtmsvr/forceStop`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ gid }),
    });
    expect(await ended(gid)).toBe('failed');
  });

  const calls: [keyof typeof Wallet, string, string, string, boolean][] = [
    ['pay', 'pay', 'saga', 'action', true],
    ['pay', 'pay', 'saga', 'compensate', false],
    ['pay', 'pay', 'workflow', 'rollback', false],
    ['pay', 'pay', 'tcc', 'try', false],
    ['PayBack', 'pay-back', 'saga', 'action', false],
    ['PayBack', 'pay-back', 'msg', 'action', false],
    ['PayBack', 'pay-back', 'workflow', 'action', false],
    ['PayBack', 'pay-back', 'saga', 'compensate', true],
    ['hold', 'hold', 'tcc', 'try', true],
    ['hold', 'hold', 'tcc', 'cancel', false],
    ['hold', 'hold', 'tcc', 'confirm', false],
    ['book', 'book', 'tcc', 'confirm', true],
    ['book', 'book', 'tcc', 'cancel', false],
    ['book', 'book', 'workflow', 'rollback', false],
    ['Release', 'release', 'tcc', 'cancel', true],
    ['Release', 'release', 'tcc', 'confirm', false],
    ['Release', 'release', 'workflow', 'commit', false],
  ];
  test.each(calls)('%s (%s) called by a %s for %s: %j', async (method, path, transType, op, fits) => {
    const call = { gid: newGid(), transType, op };
    const { status } = await (transport === 'grpc'
      ? caller.grpc(Wallet[method], call, sum)
      : caller.http(`/${path}`, call, sum));
    expect(status).toBe((fits ? OK : RETRY)[transport]);
    if (!fits) expect(wallet.ran.of(call.gid)).toEqual([]);
  });

  test('a branch that is asked as a back-check does not answer that the local step was not done', async () => {
    const call = backCheckOf(newGid());
    const { status } = await (transport === 'grpc'
      ? caller.grpc(Wallet.pay, call, sum)
      : caller.http('/pay', call, sum));
    expect(status).toBe(RETRY[transport]);
    expect(wallet.ran.of(call.gid)).toEqual([]);
  });

  test('one method for two things, or two that are swapped, is refused when built', async () => {
    const { Payment: payment, Hold: hold } = methods;
    const { action, compensation } = payment;
    const swapped = { action: compensation, compensation: action } as never;
    const saga = wallet.dtm.saga(newGid());
    expect(() => saga.step(action, action as never, sum)).toThrow(invalid('steps.0.compensation'));
    expect(() => saga.step(compensation as never, action as never, sum)).toThrow(invalid('steps.0.action'));
    expect(() => saga.step(swapped, sum)).toThrow(invalid('steps.0.action'));
    expect(() => saga.step(null, action as never, sum)).toThrow(invalid('steps.0.compensation'));
    expect(() => saga.step(hold.try as never, null, sum)).toThrow(invalid('steps.0.action'));
    expect(() => wallet.dtm.message(newGid()).step(compensation as never, sum)).toThrow(invalid('steps.0.action'));
    const message = wallet.dtm.message(newGid()).step(action, sum);
    const local = { run: fail, check: fail };
    const own: BranchMethod<never> = transport === 'grpc' ? Wallet.pay : httpBranch(`${wallet.http}/pay`);
    for (const backCheck of [own, compensation as never])
      await expect(message.prepareAndSubmit(local, { backCheck })).rejects.toEqual(invalid('backCheck'));
    await expect(wallet.dtm.topics.subscribe('topic', compensation as never)).rejects.toEqual(invalid('method.action'));
    const twice = { ...hold, cancel: hold.confirm } as never;
    await expect(wallet.dtm.tcc(newGid(), (tcc) => tcc.branch(twice, sum))).rejects.toEqual(
      invalid('branches.0.cancel'),
    );
    await expect(
      wallet.dtm.tcc(newGid(), (tcc) =>
        tcc.branch(action as unknown as BranchMethod<Sum>, hold.confirm, hold.cancel, sum),
      ),
    ).rejects.toEqual(invalid('branches.0.try'));
  });
});

describe('a pair', () => {
  const at = (path: string) => httpBranch<Sum>(`http://wallet${path}`);

  test.each<[string, () => unknown, string]>([
    ['one gRPC method twice', () => compensable(Wallet.pay, Wallet.pay), 'compensation'],
    ['a copy of it', () => compensable(Wallet.pay, { ...Wallet.pay }), 'compensation'],
    ['one URL twice', () => compensable(at('/a'), at('/a')), 'compensation'],
    ['one URL in two spellings', () => compensable(at('/a'), httpBranch<Sum>('HTTP://Wallet:80/a/')), 'compensation'],
    ['two transports', () => compensable(Wallet.pay, at('/a')), 'compensation'],
    ['nothing', () => compensable(Wallet.pay, undefined as never), 'compensation'],
    ['no method', () => compensable('wallet/pay' as unknown as BranchMethod<Sum>, Wallet.PayBack), 'action'],
    ['swapped halves of another', () => compensable(Payment.compensation as BranchMethod<Sum>, Wallet.pay), 'action'],
    ['confirm twice', () => tccBranch(Wallet.hold, Wallet.book, Wallet.book), 'cancel'],
    ['try and confirm', () => tccBranch(Wallet.hold, Wallet.hold, Wallet.Release), 'confirm'],
    ['try and cancel', () => tccBranch(Wallet.hold, Wallet.book, Wallet.hold), 'cancel'],
  ])('of %s is refused', (_, make, field) => {
    expect(make).toThrow(invalid(field));
  });

  test('of two queries of one path is one of two methods', () => {
    expect(() => compensable(at('/a?do'), at('/a?undo'))).not.toThrow();
  });

  test('may share a method with another, in the same role', () => {
    const other = compensable(Wallet.hold, Wallet.PayBack);
    expect(compensable(other.action, Payment.compensation).action).toHaveProperty('path', '/wallet.Wallet/Hold');
  });
});

describe('a saga, a message, a workflow without the compiler', () => {
  test('a method whose name is spelled wrong is not taken for none', async () => {
    const options = {
      servers: { default: { grpc: '127.0.0.1:1', http: 'http://127.0.0.1:1' } },
      signature: false,
    } as const;
    const module = await Test.createTestingModule({ imports: [DtmModule.forRoot(options)] }).compile();
    const { DtmService } = await import('../src/index.js');
    const dtm = module.get(DtmService);
    const [action, missing] = [httpBranch<Sum>('http://x/y'), undefined as never];
    expect(() => dtm.saga(newGid()).step(action, missing, { cents: 1 })).toThrow(invalid('steps.0.compensation'));
    expect(() => dtm.saga(newGid()).step(missing, action, { cents: 1 })).toThrow(invalid('steps.0.action'));
    expect(() => dtm.message(newGid()).step(missing, { cents: 1 })).toThrow(invalid('steps.0.action'));
    expect(() => dtm.saga(undefined as never)).toThrow(invalid('gid'));
    dtm.onApplicationShutdown();
  });
});

describe('a controller', () => {
  test('whose method has a role, but which has no @DtmBranches(), fails at start', async () => {
    @Controller()
    class Bare {
      @DtmAction(Payment)
      @Post('pay')
      pay(): void {}
    }
    const module = await Test.createTestingModule({
      imports: [DtmModule.forRoot({ servers: {}, signature: false })],
      controllers: [Bare],
    }).compile();
    await expect(module.init()).rejects.toMatchObject({
      name: 'DtmInvalidOption',
      field: 'role',
      message: expect.stringContaining('Bare.pay has the role action'),
    });
  });

  test('whose method has two roles, or whose role is no method', () => {
    expect(() => {
      @Controller()
      @DtmBranches()
      class Both {
        @DtmAction(Payment)
        @DtmCompensation(Payment)
        pay(): void {}
      }
      return Both;
    }).toThrow(/Both\.pay cannot have the role action: it has the role compensation/);
    expect(() => DtmAction(Payment)({}, 'x', { value: 1 } as TypedPropertyDescriptor<unknown>)).toThrow(TypeError);
  });
});
