import { randomUUID } from 'node:crypto';
import { Refusal } from '../src/index.js';
import { LocalTransaction, mysqlBarrier } from '../src/mysql.js';
import { type BankApp, startBank } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';

const POOL_SIZE = 8;
/** So many that some are grouped although calls that failed before are still followed by calls that run alone. */
const MORE_THAN_APART = 100;
const [OK, REFUSED, RETRY] = [0, 10, 14];

describe('actions that arrive together', () => {
  let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
  let bank: BankApp;
  let caller: BranchCaller;

  beforeAll(async () => {
    database = await throwAwayDatabase(POOL_SIZE);
    bank = await startBank(database.dataSource, {}, { groupSize: 16 });
    caller = new BranchCaller(bank);
  });
  afterAll(async () => {
    caller?.close();
    await bank?.close();
    await database?.drop();
  });

  const withdraw = async (account: string, amount: number, gid: string = randomUUID()) =>
    (await caller.persistently('grpc', { gid, transfer: { account, amount } })).status;

  /** How many transactions the connections of this spec's pool have begun; each connection counts its own. */
  async function transactionsBegun(): Promise<number> {
    const runners = Array.from({ length: POOL_SIZE }, () => database.dataSource.createQueryRunner());
    try {
      // All at once, so that each is another connection.
      await Promise.all(runners.map((runner) => runner.connect()));
      const counts = await Promise.all(runners.map((runner) => runner.query(`SHOW SESSION STATUS LIKE 'Com_begin'`)));
      return counts.reduce((sum, [row]) => sum + Number(row.Value), 0);
    } finally {
      await Promise.all(runners.map((runner) => runner.release()));
    }
  }

  test('share transactions, and each has its own barrier row and its own effect', async () => {
    const account = await bank.account(1000);
    const gids = Array.from({ length: 64 }, () => randomUUID());
    const before = await transactionsBegun();
    const answers = await Promise.all(gids.map((gid) => withdraw(account, 1, gid)));
    const begun = (await transactionsBegun()) - before;
    expect(begun).toBeGreaterThan(0);
    expect(begun).toBeLessThan(gids.length);
    expect(new Set(answers)).toEqual(new Set([OK]));
    expect(await bank.state(account)).toEqual({ balance: 936, hits: 64 });
    for (const gid of gids) expect(await bank.barrierRows(gid)).toEqual(['01 action action']);
  });

  test('are answered each for itself when one of them is refused', async () => {
    const [rich, poor] = [await bank.account(1000), await bank.account(2)];
    const accounts = Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? poor : rich));
    const answers = await Promise.all(accounts.map((account) => withdraw(account, 1)));
    expect(answers.filter((status, index) => accounts[index] === rich && status === OK)).toHaveLength(30);
    expect(answers.filter((status) => status === REFUSED)).toHaveLength(8);
    expect(await bank.state(rich)).toEqual({ balance: 970, hits: 30 });
    expect(await bank.state(poor)).toEqual({ balance: 0, hits: 2 });
  });

  test('are answered each for itself when one of them fails for the moment', async () => {
    const [good, bad] = [await bank.account(100), await bank.account(100)];
    bank.scripts.on(bad, 'action', () => {
      throw new Error('down');
    });
    const accounts = Array.from({ length: 20 }, (_, index) => (index === 7 ? bad : good));
    const failing = { gid: randomUUID(), transfer: { account: bad, amount: 1 } };
    const answers = await Promise.all(
      accounts.map(async (account) => (account === bad ? (await caller.grpc(failing)).status : withdraw(account, 1))),
    );
    expect(answers.filter((status) => status === OK)).toHaveLength(19);
    expect(answers[7]).toBe(RETRY);
    expect(await bank.state(good)).toEqual({ balance: 81, hits: 19 });
    expect(await bank.state(bad)).toEqual({ balance: 100, hits: 0 });
  });

  test('that repeat take effect once, whether the first is in their group or was long before', async () => {
    const account = await bank.account(1000);
    const gids = Array.from({ length: 10 }, () => randomUUID());
    const [old] = gids;
    await withdraw(account, 1, old);
    const answers = await Promise.all([...gids, ...gids, ...gids].map((gid) => withdraw(account, 1, gid)));
    expect(new Set(answers)).toEqual(new Set([OK]));
    expect(await bank.state(account)).toEqual({ balance: 990, hits: 10 });
  });

  test('never sell more than there is, however groups and refusals mix', async () => {
    const account = await bank.account(50);
    const answers = await Promise.all(Array.from({ length: 200 }, () => withdraw(account, 1)));
    expect(answers.filter((status) => status === OK)).toHaveLength(50);
    expect(answers.filter((status) => status === REFUSED)).toHaveLength(150);
    expect(await bank.state(account)).toEqual({ balance: 0, hits: 50 });
  });

  describe('and write together', () => {
    /** Withdrawals that add a mark in their own handler too; `sizes` has the number of marks of each statement. */
    async function marking(count: number, refusing: (mark: string) => boolean = () => false) {
      const accounts = await Promise.all(Array.from({ length: count }, () => bank.account(10)));
      const sizes: number[] = [];
      const heard = new Map<string, string>();
      const write = async (marks: readonly string[]): Promise<string[]> => {
        sizes.push(marks.length);
        await bank.app.get(LocalTransaction).execute(
          `INSERT INTO account (name, balance) VALUES ${marks.map(() => '(?, 1)').join(', ')}`,
          marks.map((mark) => `of ${mark}`),
        );
        if (marks.some(refusing)) throw new Refusal('not this one');
        return marks.map((mark) => `wrote ${mark}`);
      };
      for (const account of accounts) {
        bank.scripts.on(account, 'action', async (tx) => {
          heard.set(account, await tx.writeTogether(write, account));
        });
      }
      const answers = await Promise.all(accounts.map((account) => withdraw(account, 1)));
      const marked = await Promise.all(accounts.map((account) => bank.state(`of ${account}`)));
      return { accounts, answers, sizes, heard, marked: marked.map((row) => row !== undefined) };
    }

    test('one statement serves a group, and each handler gets what is its own', async () => {
      const { accounts, answers, sizes, heard, marked } = await marking(MORE_THAN_APART);
      expect(new Set(answers)).toEqual(new Set([OK]));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(MORE_THAN_APART);
      expect(Math.max(...sizes)).toBeGreaterThan(1);
      for (const account of accounts) {
        expect(heard.get(account)).toBe(`wrote ${account}`);
        expect(await bank.state(account)).toEqual({ balance: 9, hits: 1 });
      }
      expect(marked).not.toContain(false);
    });

    test('what is refused is refused to the one whose it is, and nothing of it stays', async () => {
      let chosen = '';
      const { accounts, answers, marked } = await marking(20, (mark) => {
        chosen ||= mark;
        return mark === chosen;
      });
      expect(answers.filter((status) => status === OK)).toHaveLength(19);
      const index = accounts.indexOf(chosen);
      expect(answers[index]).toBe(REFUSED);
      expect(marked.indexOf(false)).toBe(index);
      expect(marked.lastIndexOf(false)).toBe(index);
      expect(await bank.state(chosen)).toEqual({ balance: 10, hits: 0 });
    });

    test('beside a handler that fails and one that writes nothing, with the right answer for each', async () => {
      const [good, plain, bad] = [await bank.account(10), await bank.account(10), await bank.account(10)];
      const write = async (marks: readonly string[]): Promise<undefined> => {
        await bank.app
          .get(LocalTransaction)
          .execute(`UPDATE account SET balance = balance + 5 WHERE name IN (${marks.map(() => '?').join(', ')})`, [
            ...marks,
          ]);
      };
      bank.scripts.on(good, 'action', (tx) => tx.writeTogether(write, good));
      bank.scripts.on(bad, 'action', () => {
        throw new Error('down');
      });
      const calls = [good, good, plain, good, bad, plain].map((account) => ({
        account,
        call: { gid: randomUUID(), transfer: { account, amount: 1 } },
      }));
      const answers = await Promise.all(calls.map(async ({ call }) => (await caller.grpc(call)).status));
      expect(answers).toEqual([OK, OK, OK, OK, RETRY, OK]);
      expect(await bank.state(good)).toEqual({ balance: 22, hits: 3 });
      expect(await bank.state(plain)).toEqual({ balance: 8, hits: 2 });
      expect(await bank.state(bad)).toEqual({ balance: 10, hits: 0 });
    });

    describe('in a group of a barrier of its own', () => {
      const tx = new LocalTransaction();
      const hit = (account: string) => tx.execute('UPDATE account SET hits = hits + 1 WHERE name = ?', [account]);

      /** Runs works in one group: they come while another call runs. */
      async function together(works: readonly (() => Promise<unknown>)[]): Promise<void> {
        const barrier = mysqlBarrier(database.dataSource, { groupSize: 16 });
        const call = (work: () => Promise<unknown>) =>
          barrier.call({
            branch: { transType: 'saga', gid: randomUUID(), branchId: '01', op: 'action' },
            work,
            cancelled: () => false,
          });
        await Promise.all([async () => undefined, ...works].map(call));
      }

      /** Fails once like a deadlock: the server has rolled all back, and what follows on the connection commits by itself. */
      function deadlockOnce() {
        let met = false;
        return async (): Promise<undefined> => {
          if (met) return;
          met = true;
          await tx.execute('ROLLBACK');
          await tx.manager.query(`SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213`);
        };
      }

      test('after a deadlock the next write does not take place', async () => {
        const bystander = await bank.account(1);
        const deadlock = deadlockOnce();
        const write = async (): Promise<undefined> => {
          await hit(bystander);
        };
        await together([() => tx.writeTogether(deadlock, 1), () => tx.writeTogether(write, 1)]);
        expect(await bank.state(bystander)).toEqual({ balance: 1, hits: 1 });
      });

      test('after a deadlock no handler writes, even if it swallows the error', async () => {
        const bystander = await bank.account(1);
        const deadlock = deadlockOnce();
        const swallowing = async () => {
          await tx.writeTogether(deadlock, 1).catch(() => undefined);
          await hit(bystander);
        };
        await together([swallowing, swallowing, swallowing]);
        expect(await bank.state(bystander)).toEqual({ balance: 1, hits: 3 });
      });

      test('handlers go on one after the other', async () => {
        const account = await bank.account(1);
        const log: string[] = [];
        const sizes: number[] = [];
        const write = async (items: readonly number[]): Promise<undefined> => {
          sizes.push(items.length);
        };
        await together(
          [0, 1, 2].map((index) => async () => {
            await tx.writeTogether(write, index);
            log.push(`${index} begins`);
            await hit(account);
            log.push(`${index} ends`);
          }),
        );
        expect(sizes).toEqual([3]);
        expect(log).toEqual([0, 1, 2].flatMap((index) => [`${index} begins`, `${index} ends`]));
      });
    });
  });
});
