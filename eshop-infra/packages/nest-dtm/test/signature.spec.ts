import { randomUUID } from 'node:crypto';
import { Signer } from '../src/index.js';
import { transports } from './support/adapters.js';
import { type BankApp, signature, startBank } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';

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

  const wrong: [string, (gid: string) => Partial<Parameters<BranchCaller['grpc']>[0]>][] = [
    ['no signature', () => ({ signature: '' })],
    ['a signature that is none', () => ({ signature: 'nonsense' })],
    ['an empty digest', () => ({ signature: 'now.' })],
    ['the signature of another gid', () => ({ signature: new Signer(signature).sign('another') })],
    [
      'the signature of an unknown key',
      (gid) => ({ signature: new Signer({ keys: [{ id: 'gone', secret: 'x'.repeat(16) }] }).sign(gid) }),
    ],
    [
      'a known key id with another secret',
      (gid) => ({ signature: new Signer({ keys: [{ id: 'now', secret: 'x'.repeat(16) }] }).sign(gid) }),
    ],
    ['no gid', () => ({ gid: '' })],
    ['no branch id', () => ({ branchId: '' })],
  ];
  test.each(wrong)('a call with %s is refused as unauthenticated and changes nothing', async (_, change) => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    for (const op of ['action', 'compensate']) {
      const call = { gid, op, transfer: { account, amount: 3 }, ...change(gid) };
      expect((await caller[transport](call)).status).toBe(UNAUTHENTICATED[transport]);
    }
    expect(await bank.state(account)).toEqual({ balance: 10, hits: 0 });
    expect(await bank.barrierRows(gid)).toEqual([]);
  });

  test('while a key is being replaced both keys are accepted', async () => {
    const account = await bank.account(10);
    for (const key of [newKey, ...signature.keys]) {
      const gid = randomUUID();
      const call = { gid, transfer: { account, amount: 3 }, signature: new Signer({ keys: [key] }).sign(gid) };
      expect((await caller[transport](call)).status).toBe(OK[transport]);
    }
  });

  test('a key that is no longer listed is refused, whoever still signs with it', async () => {
    const [gid, account] = [randomUUID(), await bank.account(10)];
    const rotated = await startBank(database.dataSource, { signature: { keys: [newKey] } }, {}, adapter);
    const late = new BranchCaller(rotated);
    const call = { gid, transfer: { account, amount: 3 } };
    const sign = (key: typeof newKey) => ({ ...call, signature: new Signer({ keys: [key] }).sign(gid) });
    for (const key of signature.keys)
      expect((await late[transport](sign(key))).status).toBe(UNAUTHENTICATED[transport]);
    expect((await late[transport](sign(newKey))).status).toBe(OK[transport]);
    late.close();
    await rotated.close();
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
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
