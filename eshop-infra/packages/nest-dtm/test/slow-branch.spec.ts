import { randomUUID } from 'node:crypto';
import { Bank, type BankApp, startBank } from './support/bank.js';
import { throwAwayDatabase } from './support/database.js';
import { gate, until } from './support/until.js';

test('a branch slower than DTM waits is called again while it runs, and takes effect once', async () => {
  const database = await throwAwayDatabase();
  const bank: BankApp = await startBank(database.dataSource, {}, { lockWaitSeconds: 1 });
  try {
    const [gid, account, leave] = [randomUUID(), await bank.account(10), gate()];
    let calls = 0;
    bank.scripts.on(account, 'action', () => {
      calls++;
      return leave.opened;
    });
    await bank.dtm
      .saga(gid, { requestTimeout: 1, retryInterval: 1 })
      .step(Bank.withdraw, Bank.withdrawRevert, { account, amount: 3 })
      .submit({ fresh: true });
    await until('a second call waits for the first one’s barrier row', async () => {
      const [row] = await database.dataSource.query(
        `SELECT count(*) AS n FROM information_schema.processlist WHERE db = ? AND info LIKE 'INSERT IGNORE%'`,
        [database.name],
      );
      return Number(row.n) > 0;
    });
    expect(calls).toBe(1);
    leave.open();
    await until('the saga ends', async () => (await bank.dtm.query(gid))?.status === 'succeed');
    expect(calls).toBe(1);
    expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
  } finally {
    await bank.close();
    await database.drop();
  }
});
