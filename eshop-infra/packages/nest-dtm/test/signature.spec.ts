import { randomUUID } from 'node:crypto';
import { type BranchMethod, httpBranch, newGid, type SignedCall, Signer } from '../src/index.js';
import { transactionEnd } from '../src/testing/index.js';
import { transports } from './support/adapters.js';
import { Bank, type BankApp, signature, startBank, type Transfer } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';
import { seenSignature } from './support/seen-signature.js';

const OK = { grpc: 0, http: 200 };
const UNAUTHENTICATED = { grpc: 16, http: 401 };
const REFUSED = { grpc: 10, http: 409 };

describe.each(transports)('signature over %s (%s)', (transport, adapter) => {
  const newKey = { id: 'next', secret: 'a secret that replaces it' };
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let caller: BranchCaller;

  beforeAll(async () => {
    database = await throwAwayDatabase(2);
    bank = await startBank(database.dataSource, { signature: { keys: [newKey, ...signature.keys] } }, {}, adapter);
    caller = new BranchCaller(bank);
  });
  afterAll(async () => {
    caller?.close();
    await bank?.close();
    await database?.drop();
  });

  const transfer = { account: 'set by the test', amount: 3 };
  /** The action of branch 01 as DTM calls it, or another call. */
  const signedCall = (gid: string, change: Partial<SignedCall> = {}): SignedCall => ({
    transport,
    transType: 'saga',
    gid,
    branchId: '01',
    op: 'action',
    method: transport === 'grpc' ? Bank.withdraw.path : '/withdraw',
    payload: JSON.stringify(transfer),
    headers: '',
    ...change,
  });
  const sign = (gid: string, change: Partial<SignedCall> = {}, keys = signature.keys): string =>
    new Signer({ keys }).sign(signedCall(gid, change));

  const wrong: [string, (gid: string) => Partial<Parameters<BranchCaller['grpc']>[0]>][] = [
    ['no signature', () => ({ signature: '' })],
    ['a signature that is none', () => ({ signature: 'nonsense' })],
    ['an empty MAC', () => ({ signature: 'now.' })],
    ['a list of empty MACs', () => ({ signature: 'now..0.' })],
    ['the signature of another gid', () => ({ signature: sign('another') })],
    ['the signature of another branch', (gid) => ({ signature: sign(gid, { branchId: '02' }) })],
    ['the signature of another type', (gid) => ({ signature: sign(gid, { transType: 'msg' }) })],
    ['the signature of another method', (gid) => ({ signature: sign(gid, { method: '/bank.Bank/WithdrawConfirm' }) })],
    ['the signature of another payload', (gid) => ({ signature: sign(gid, { payload: '{"amount":4}' }) })],
    ['the signature of another DTM server', (gid) => ({ signature: sign(gid, { headers: 'other' }) })],
    ['the signature of its compensation', (gid) => ({ signature: sign(gid, { op: 'compensate' }), op: 'action' })],
    [
      'the signature of an unknown key',
      (gid) => ({ signature: sign(gid, {}, [{ id: 'gone', secret: 'x'.repeat(16) }]) }),
    ],
    [
      'a known key id with another secret',
      (gid) => ({ signature: sign(gid, {}, [{ id: 'now', secret: 'x'.repeat(16) }]) }),
    ],
    ['no gid', () => ({ gid: '' })],
    ['no branch id', () => ({ branchId: '' })],
  ];
  test.each(wrong)('a call with %s is refused as unauthenticated and changes nothing', async (_, change) => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    transfer.account = account;
    for (const op of ['action', 'compensate']) {
      const call = { gid, op, transfer, ...change(gid) };
      expect((await caller[transport](call)).status).toBe(UNAUTHENTICATED[transport]);
    }
    expect(await bank.state(account)).toEqual({ balance: 10, hits: 0 });
    expect(await bank.barrierRows(gid)).toEqual([]);
  });

  test('while a key is being replaced both keys are accepted', async () => {
    transfer.account = await bank.account(10);
    for (const key of [newKey, ...signature.keys]) {
      const gid = randomUUID();
      const call = { gid, transfer, signature: sign(gid, {}, [key]) };
      expect((await caller[transport](call)).status).toBe(OK[transport]);
    }
  });

  test('a key that is no longer listed is refused, whoever still signs with it', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    transfer.account = account;
    const rotated = await startBank(database.dataSource, { signature: { keys: [newKey] } }, {}, adapter);
    const late = new BranchCaller(rotated);
    const signedBy = (key: typeof newKey) => ({ gid, transfer, signature: sign(gid, {}, [key]) });
    for (const key of signature.keys)
      expect((await late[transport](signedBy(key))).status).toBe(UNAUTHENTICATED[transport]);
    expect((await late[transport](signedBy(newKey))).status).toBe(OK[transport]);
    late.close();
    await rotated.close();
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  });

  test('what DTM shows of a saga to whoever asks allows nothing but the calls DTM makes', async () => {
    const [gid, account, other] = [newGid(), await bank.account(10), await bank.account(10)];
    const address = (method: 'withdraw' | 'withdrawRevert'): BranchMethod<Transfer> =>
      transport === 'grpc' ? Bank[method] : httpBranch(`${bank.http}/${method}`);
    const amount = 3;
    await bank.dtm
      .saga(gid)
      .step(address('withdraw'), address('withdrawRevert'), { account, amount })
      .step(address('withdraw'), address('withdrawRevert'), { account, amount: 2 })
      .submit();
    expect((await transactionEnd(bank.dtm, gid)).status).toBe('succeed');
    const seen = await seenSignature(gid);
    const again = { gid, transfer: { account, amount }, signature: seen };
    expect((await caller[transport](again)).status).toBe(OK[transport]);
    for (const change of [
      { transfer: { account, amount: 4 } },
      { transfer: { account: other, amount } },
      { branchId: '02' },
      { branchId: '03' },
      { branchId: '1' },
      { gid: newGid() },
      { transType: 'tcc', op: 'try' },
      { transType: 'tcc', op: 'confirm' },
      { transType: 'workflow' },
      { transType: 'msg' },
    ])
      expect((await caller[transport]({ ...again, ...change })).status).toBe(UNAUTHENTICATED[transport]);
    expect(await bank.state(account)).toEqual({ balance: 5, hits: 2 });
    expect(await bank.state(other)).toEqual({ balance: 10, hits: 0 });
  });

  test('a gid of 128 characters works, one of 129 is refused before any SQL', async () => {
    const account = await bank.account(10);
    const gid = randomUUID().padEnd(128, 'x');
    expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(OK[transport]);
    expect((await caller[transport]({ gid: `${gid}x`, transfer: { account, amount: 3 } })).status).toBe(
      REFUSED[transport],
    );
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    expect(await bank.barrierRows(gid)).toEqual(['01 action action']);
  });

  test.each([{ transType: 'xa' }, { transType: 'msg', op: 'compensate' }, { op: 'try' }, { op: 'commit' }])(
    'a call that is no branch of a transaction we know (%p) is refused',
    async (change) => {
      const account = await bank.account(10);
      expect((await caller[transport]({ gid: randomUUID(), transfer: { account, amount: 3 }, ...change })).status).toBe(
        REFUSED[transport],
      );
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 0 });
    },
  );
});
