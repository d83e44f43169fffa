import { randomUUID } from 'node:crypto';
import { DtmCaller } from '../src/testing/index.js';
import { transports } from './support/adapters.js';
import { Bank, signature, startBank } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';
import { gate, until } from './support/until.js';

describe('shutdown', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  beforeAll(async () => {
    database = await throwAwayDatabase();
  });
  afterAll(() => database?.drop());

  test.each(transports)(
    'waits for a branch that runs over %s (%s), and tells those that come to come again',
    async (transport, adapter) => {
      const bank = await startBank(database.dataSource, {}, {}, adapter);
      const caller = new BranchCaller(bank);
      const [gid, account, entered, leave] = [randomUUID(), await bank.account(10), gate(), gate()];
      bank.scripts.on(account, 'action', async () => {
        entered.open();
        await leave.opened;
      });
      const running = caller[transport]({ gid, transfer: { account, amount: 3 } });
      await entered.opened;
      let closed = false;
      const closing = bank.close().then(() => {
        closed = true;
      });
      await until('new calls are put off', async () => {
        const { status } = await caller[transport]({ gid: randomUUID(), transfer: { account: 'x', amount: 0 } });
        return status === (transport === 'grpc' ? 9 : 425);
      });
      expect(closed).toBe(false);
      leave.open();
      expect((await running).status).toBe(transport === 'grpc' ? 0 : 200);
      await closing;
      caller.close();
      expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    },
  );

  test('does not wait for longer than it is told', async () => {
    const bank = await startBank(database.dataSource, { shutdownTimeoutMs: 200 });
    const caller = new DtmCaller({ signature, grpcAddress: bank.grpcAddress, http: bank.http });
    const [account, entered, leave] = [await bank.account(10), gate(), gate()];
    bank.scripts.on(account, 'action', async () => {
      entered.open();
      await leave.opened;
    });
    const running = caller.grpc(Bank.withdraw, { gid: randomUUID() }, { account, amount: 3 }, 3_000);
    await entered.opened;
    const started = performance.now();
    await bank.close();
    expect(performance.now() - started).toBeGreaterThan(150);
    leave.open();
    expect((await running).status).not.toBe(0);
    caller.close();
  });
});
