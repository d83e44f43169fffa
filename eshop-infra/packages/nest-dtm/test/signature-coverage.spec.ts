import { randomUUID } from 'node:crypto';
import { Controller, type INestApplication, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import {
  calledMethod,
  DtmBranches,
  DtmInvalidOption,
  DtmModule,
  httpBranch,
  newGid,
  type SignedCall,
  Signer,
} from '../src/index.js';
import { DtmCaller, transactionEnd } from '../src/testing/index.js';
import { branchHeaders, type PlannedCall } from '../src/transaction/branch-headers.js';
import { adapters } from './support/adapters.js';
import { Bank, type BankApp, signature, startBank, type Transfer } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { seenSignature } from './support/seen-signature.js';

const HEADER = 'dtm-signature';
const signer = new Signer(signature);

/** The calls of a saga of so many steps. */
function sagaOf(steps: number): PlannedCall[] {
  return Array.from({ length: steps }, (_, index) => {
    const step = {
      transport: 'grpc',
      branchId: String(index + 1).padStart(2, '0'),
      payload: `payload ${index}`,
    } as const;
    return [
      { ...step, op: 'action', method: '/bank.Bank/Withdraw' },
      { ...step, op: 'compensate', method: '/bank.Bank/WithdrawRevert' },
    ];
  }).flat();
}

describe('what a signature covers', () => {
  const call = fc.record<SignedCall>({
    transport: fc.constantFrom('grpc', 'http'),
    transType: fc.constantFrom('saga', 'msg', 'tcc', 'workflow'),
    gid: fc.constantFrom('g', 'g1', 'g","'),
    branchId: fc.constantFrom('00', '01', '02', '01-01', '01-02', '99'),
    op: fc.constantFrom('action', 'compensate', 'try', 'confirm', 'cancel', 'rollback', 'msg'),
    method: fc.constantFrom('/a', '/b', '/a?x=1', '*', ''),
    payload: fc.constantFrom('', '{}', '{"a":1}'),
    headers: fc.constantFrom('', 'other'),
  });

  test('a call is let in by its own signature, and by another’s only where the difference cannot be covered', () => {
    const about = ({ transType, branchId, op, transport }: SignedCall): (keyof SignedCall)[] => {
      if (transType === 'tcc' && transport === 'grpc' && op !== 'try') return ['branchId', 'method', 'payload'];
      if (transType === 'msg' && branchId.includes('-')) return ['method', 'branchId'];
      return branchId === '00' ? ['payload'] : [];
    };
    const fields = ['transType', 'gid', 'branchId', 'op', 'method', 'payload', 'headers'] as const;
    fc.assert(
      fc.property(call, fc.constantFrom(...fields), call, (one, field, { [field]: changed }) => {
        const mine = signer.sign(one);
        expect(signer.verify(one, mine)).toBe(true);
        const other = { ...one, [field]: changed };
        if (changed === one[field] || about(one).includes(field) || !signer.verify(other, mine)) return;
        // Another subscriber of the same topic's step, or what no call is: a method of that name.
        expect(other).toMatchObject(field === 'branchId' ? { transType: 'msg' } : { method: '*' });
      }),
      { numRuns: 5000 },
    );
  });

  test('a list is taken only as it was made, by the key that made it', () => {
    const [first, ...more] = sagaOf(3).map((one) => ({ ...one, transType: 'saga', gid: 'g', headers: '' }));
    if (!first) throw new Error('no call');
    const made = signer.signAll(first, [first, ...more], 800) ?? '';
    expect(signer.verify(first, made)).toBe(true);
    const [id, mac, length, macs = ''] = made.split('.');
    for (const forged of [
      [id, mac, '4', macs],
      [id, mac, length, macs.slice(16) + macs.slice(0, 16)],
      [id, mac, length, `${macs}AAAA`],
      [id, mac, '1', 'A'],
      [id, mac, length],
      [id, mac, length, macs, ''],
      ['', mac, length, macs],
      ['next', mac, length, macs],
    ])
      expect(signer.verify(first, forged.join('.'))).toBe(false);
  });

  test.each([
    ['127.0.0.1:5000/bank.Bank/Withdraw', '/bank.Bank/Withdraw'],
    ['http://one:80/a/b', '/a/b'],
    ['https://two/a/b?gid=g&op=action&branch_id=01&trans_type=saga&dtm=', '/a/b'],
    ['http://three/a?y=2&x=%20ü&dtm_signature=now.x', '/a?x=+%C3%BC&y=2'],
    ['http://four/a|b/c%7cd/%2F/%zz', '/a%7Cb/c%7Cd/%2F/%zz'],
    ['', ''],
  ])('the method of "%s" is "%s"', (address, method) => {
    expect(calledMethod(address)).toBe(method);
  });
});

describe('the room for signatures', () => {
  const context = (observed: Record<string, string> = {}) => ({
    signer,
    serverMark: '',
    observedHeaders: () => observed,
  });
  const saga = { gid: 'g'.repeat(128), transType: 'saga' };
  const lengthOf = (headers: Record<string, string>): number => Number(headers[HEADER]?.split('.')[2]);

  test.each([
    [1, 16],
    [20, 16],
    [40, 10],
    [99, 4],
  ])('the MACs of %d steps have %d characters, fit into DTM’s column, and let every call in', (steps, length) => {
    const headers = branchHeaders(saga, undefined, context(), sagaOf(steps));
    expect(lengthOf(headers)).toBe(length);
    expect(JSON.stringify(headers).length).toBeLessThanOrEqual(1024 - 150);
    for (const call of sagaOf(steps))
      expect(signer.verify({ ...call, ...saga, headers: '' }, headers[HEADER] ?? '')).toBe(true);
  });

  test('headers of observers give way to MACs that are not short, those of the caller do not', () => {
    const observed = { traceparent: 't'.repeat(55) };
    expect(branchHeaders(saga, undefined, context(observed), sagaOf(40))).toMatchObject(observed);
    expect(branchHeaders(saga, undefined, context(observed), sagaOf(60))).not.toHaveProperty('traceparent');
    expect(lengthOf(branchHeaders(saga, { mine: 'm'.repeat(55) }, context(observed), sagaOf(60)))).toBe(6);
  });

  test('what has no room is refused, and why is said', () => {
    const long = { mine: 'm'.repeat(100) };
    const refused = (headers: Record<string, string> | undefined, steps: number): unknown => {
      try {
        return branchHeaders(saga, headers, context(), sagaOf(steps));
      } catch (error) {
        return error;
      }
    };
    expect(refused(long, 99)).toMatchObject({
      field: 'headers',
      message: expect.stringContaining('signatures of 198'),
    });
    expect(refused({ mine: 'm'.repeat(900) }, 1)).toBeInstanceOf(DtmInvalidOption);
  });
});

describe('with a real DTM', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let caller: DtmCaller;

  beforeAll(async () => {
    database = await throwAwayDatabase();
    bank = await startBank(database.dataSource);
    caller = new DtmCaller({ signature, grpcAddress: bank.grpcAddress, http: bank.http });
  });
  afterAll(async () => {
    caller?.close();
    await bank?.close();
    await database?.drop();
  });

  test('a saga of 99 steps whose last one is refused is taken back', async () => {
    const [gid, account, poor] = [newGid(), await bank.account(99), await bank.account(0)];
    const saga = bank.dtm.saga(gid);
    for (let step = 1; step <= 98; step++) saga.step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 1 });
    await saga.step(Bank.withdraw, Bank.withdrawRevert, { account: poor, amount: 1 }).submit();
    expect((await transactionEnd(bank.dtm, gid, 60_000)).status).toBe('failed');
    expect(await bank.state(account)).toEqual({ balance: 99, hits: 196 });
  }, 90_000);

  test('a TCC over HTTP: the registered addresses are signed for just their branch', async () => {
    const [gid, account] = [newGid(), await bank.account(10)];
    const at = (path: string) => httpBranch<Transfer>(`${bank.http}/${path}`);
    await bank.dtm.tcc(gid, (tcc) =>
      tcc.branch(at('withdraw'), at('withdrawConfirm'), at('withdrawRevert'), { account, amount: 3 }),
    );
    const { branches } = await transactionEnd(bank.dtm, gid);
    expect(branches.map(({ op, status }) => `${op} ${status}`).sort()).toEqual(['cancel prepared', 'confirm succeed']);
    const url = new URL(branches.find(({ op }) => op === 'cancel')?.url ?? '');
    for (const [key, value] of Object.entries({ gid, trans_type: 'tcc', branch_id: '01', op: 'cancel' }))
      url.searchParams.set(key, value);
    const header = await seenSignature(gid);
    const post = async (change: Record<string, string>, amount = 3): Promise<number> => {
      const changed = new URL(url);
      for (const [key, value] of Object.entries(change)) changed.searchParams.set(key, value);
      const body = JSON.stringify({ account, amount });
      const headers = { 'content-type': 'application/json', [HEADER]: header };
      return (await fetch(changed, { method: 'POST', headers, body })).status;
    };
    expect(await post({}, 9)).toBe(401);
    expect(await post({ op: 'confirm' })).toBe(401);
    expect(await post({ op: 'try' })).toBe(401);
    expect(await post({ branch_id: '02' })).toBe(401);
    expect(await post({ dtm_signature: header })).toBe(401);
    expect(await post({ dtm_signature: '' })).toBe(401);
    expect(await post({ more: 'than was signed' })).toBe(401);
    expect(await bank.state(account)).toMatchObject({ balance: 7 });
    expect(await post({})).toBe(200);
  });

  test('a TCC over gRPC: what DTM shows of it allows no try, and nothing of another transaction', async () => {
    const [gid, account] = [newGid(), await bank.account(10)];
    const transfer = { account, amount: 3 };
    await bank.dtm.tcc(gid, (tcc) => tcc.branch(Bank.withdraw, Bank.withdrawConfirm, Bank.withdrawRevert, transfer));
    await transactionEnd(bank.dtm, gid);
    const seen = { gid, transType: 'tcc', signature: await seenSignature(gid) };
    for (const change of [
      { op: 'try' },
      { op: 'try', branchId: '02' },
      { op: 'cancel', gid: newGid() },
      { transType: 'saga' },
    ])
      expect((await caller.grpc(Bank.withdraw, { ...seen, ...change }, transfer)).status).toBe(16);
    expect((await caller.grpc(Bank.withdrawConfirm, { ...seen, op: 'confirm' }, transfer)).status).toBe(0);
    expect(await bank.state(account)).toMatchObject({ balance: 7 });
  });
});

describe.each(['fastify', 'express'] as const)('what of an HTTP call is signed, on %s', (adapter) => {
  let app: INestApplication | undefined;
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  async function start(rawBody: boolean, calledPath?: (path: string) => string): Promise<string> {
    @Controller()
    @DtmBranches({ barrier: false })
    class Lamp {
      @Post('lamp/light')
      light(): void {}
    }
    const module = DtmModule.forRoot({ servers: {}, signature: { ...signature, calledPath } });
    app = await NestFactory.create({ module: class {}, imports: [module], controllers: [Lamp] }, adapters[adapter](), {
      rawBody,
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  async function light(http: string, query: string, body: string, method: string, signed = body): Promise<number> {
    const gid = randomUUID();
    const named = { transport: 'http', transType: 'saga', gid, branchId: '01', op: 'action' } as const;
    const header = signer.sign({ ...named, method, payload: signed, headers: '' });
    const identity = `gid=${gid}&trans_type=saga&branch_id=01&op=action`;
    const headers = { 'content-type': 'application/json', [HEADER]: header };
    return (await fetch(`${http}/lamp/light?${query}&${identity}`, { method: 'POST', headers, body })).status;
  }

  test('path, query and body, where the body is what JSON.stringify makes of it', async () => {
    const http = await start(false);
    const body = JSON.stringify({ '2': 'ü😀\ud83d', b: [1.5e300, -0, null], a: { '1': 0.1 } });
    expect(await light(http, '', body, '/lamp/light')).toBe(200);
    expect(await light(http, 'y=1&x=2', body, '/lamp/light?x=2&y=1')).toBe(200);
    expect(await light(http, 'x=2', body, '/lamp/light')).toBe(401);
    expect(await light(http, '', body, '/lamp/dark')).toBe(401);
    expect(await light(http, '', body, '/lamp/light', '{}')).toBe(401);
    expect(await light(http, '', '{ "a": 1 }', '/lamp/light')).toBe(401);
  });

  test('any body, where the application keeps the raw one', async () => {
    const http = await start(true);
    expect(await light(http, '', '{ "a": 1 }', '/lamp/light')).toBe(200);
    expect(await light(http, '', '{ "a": 1 }', '/lamp/light', '{"a":1}')).toBe(401);
  });

  test('the path by which DTM calls, where a proxy changes it', async () => {
    const http = await start(false, (path) => `/api${path}`);
    expect(await light(http, '', '{}', '/api/lamp/light')).toBe(200);
    expect(await light(http, '', '{}', '/lamp/light')).toBe(401);
  });
});
