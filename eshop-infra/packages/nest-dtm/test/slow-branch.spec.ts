import { randomUUID } from 'node:crypto';
import { httpBranch } from '../src/index.js';
import { Bank, type BankApp, startBank, type Transfer } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';
import { gate, until } from './support/until.js';

describe('a branch slower than DTM waits', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;

  beforeAll(async () => {
    database = await throwAwayDatabase(4);
    bank = await startBank(database.dataSource, { branchTimeoutMs: 700 });
  });
  afterAll(async () => {
    await bank?.close();
    await database?.drop();
  });

  const addresses = () => [
    ['gRPC', Bank.withdraw, Bank.withdrawRevert] as const,
    ['HTTP', overHttp('withdraw'), overHttp('withdrawRevert')] as const,
  ];
  const overHttp = (path: string) => httpBranch<Transfer>(`${bank.http}/${path}`);

  test.each([0, 1])(
    'is undone before DTM gives up, and takes effect once when it is called again (%i)',
    async (which) => {
      const [gid, account, leave] = [randomUUID(), await bank.account(10), gate()];
      const [, action, compensation] = addresses()[which] as ReturnType<typeof addresses>[number];
      let calls = 0;
      const late = Promise.withResolvers<unknown>();
      bank.scripts.on(account, 'action', async (tx) => {
        if (++calls > 1) return;
        await tx.execute('UPDATE account SET balance = balance - 5 WHERE name = ?', [account]);
        await leave.opened;
        tx.execute('UPDATE account SET balance = balance - 5 WHERE name = ?', [account]).catch(late.resolve);
      });
      await bank.dtm
        .saga(gid, { requestTimeout: 1, retryInterval: 1 })
        .step(action, compensation, { account, amount: 3 })
        .submit({ fresh: true });
      await until('the saga ends', async () => (await bank.dtm.query(gid))?.status === 'succeed');
      expect(calls).toBe(2);
      leave.open();
      expect(String(await late.promise)).toMatch(/did not end within \d+ ms/);
      expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    },
  );

  test('that never ends holds no connection for longer than its time', async () => {
    const accounts = await Promise.all(Array.from({ length: 12 }, () => bank.account(10)));
    for (const account of accounts) bank.scripts.on(account, 'action', () => new Promise(() => undefined));
    const caller = new BranchCaller(bank);
    try {
      const answers = await Promise.all(
        accounts.map((account) => caller.http({ gid: randomUUID(), transfer: { account, amount: 1 } })),
      );
      expect(answers.map(({ status }) => status)).toEqual(accounts.map(() => 503));
      const free = await bank.account(10);
      expect((await caller.http({ gid: randomUUID(), transfer: { account: free, amount: 1 } })).status).toBe(200);
    } finally {
      caller.close();
    }
  });
});
