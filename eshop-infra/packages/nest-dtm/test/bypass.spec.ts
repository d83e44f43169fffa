import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { EntitySchema } from 'typeorm';
import { Refusal } from '../src/index.js';
import { type BankApp, startBank } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';

interface AccountRow {
  name: string;
  balance: number;
}

const AccountEntity = new EntitySchema<AccountRow>({
  name: 'account',
  columns: { name: { type: String, primary: true }, balance: { type: Number } },
});

const [OK, REFUSED, RETRY] = [0, 10, 14];

describe.each(['error', 'warn'] as const)('statements of a branch past its transaction (%s)', (bypass) => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let caller: BranchCaller;

  beforeAll(async () => {
    database = await throwAwayDatabase(4, { entities: [AccountEntity] });
    bank = await startBank(database.dataSource, {}, { bypass });
    caller = new BranchCaller(bank);
  });
  afterAll(async () => {
    caller?.close();
    await bank?.close();
    await database?.drop();
  });

  const call = async (account: string, gid: string = randomUUID()) =>
    (await caller.grpc({ gid, transfer: { account, amount: 1 } })).status;

  const ways: [string, (account: string) => Promise<unknown>][] = [
    [
      'a repository',
      (account) => database.dataSource.getRepository(AccountEntity).update({ name: account }, { balance: 5 }),
    ],
    ['the manager', (account) => database.dataSource.manager.update(AccountEntity, { name: account }, { balance: 5 })],
    ['a query', (account) => database.dataSource.query('UPDATE account SET balance = 5 WHERE name = ?', [account])],
    [
      'a transaction',
      (account) =>
        database.dataSource.transaction((manager) => manager.update(AccountEntity, { name: account }, { balance: 5 })),
    ],
    [
      'a query builder',
      (account) =>
        database.dataSource
          .createQueryBuilder()
          .update(AccountEntity)
          .set({ balance: 5 })
          .where({ name: account })
          .execute(),
    ],
  ];

  test.each(ways)('%s: seen', async (_, write) => {
    const account = await bank.account(10);
    const warnings: unknown[] = [];
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void warnings.push(line));
    try {
      bank.scripts.on(account, 'action', async () => {
        await write(account);
        throw new Refusal('no');
      });
      const status = await call(account);
      const seen = warnings.filter((line) => String(line).includes('past its transaction'));
      expect(seen.length).toBeGreaterThan(0);
      expect(status).toBe(bypass === 'error' ? RETRY : REFUSED);
      expect((await bank.state(account)).balance).toBe(bypass === 'error' ? 10 : 5);
    } finally {
      warn.mockRestore();
    }
  });

  test('the transaction’s own repository is part of it: undone with a refusal, kept with a success', async () => {
    const account = await bank.account(10);
    let refuses = true;
    bank.scripts.on(account, 'action', async (tx) => {
      await tx.getRepository(AccountEntity).update({ name: account }, { balance: 5 });
      if (refuses) throw new Refusal('no');
    });
    expect(await call(account)).toBe(REFUSED);
    expect((await bank.state(account)).balance).toBe(10);
    refuses = false;
    expect(await call(account)).toBe(OK);
    expect((await bank.state(account)).balance).toBe(4);
  });

  test('outside of a branch everything works as ever', async () => {
    const account = await bank.account(10);
    for (const [, write] of ways) await write(account);
    expect((await bank.state(account)).balance).toBe(5);
  });
});
