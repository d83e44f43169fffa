import { randomUUID } from 'node:crypto';
import { Refusal } from '../src/index.js';
import { transports } from './support/adapters.js';
import { type BankApp, startBank } from './support/bank.js';
import { BranchCaller } from './support/branch-caller.js';
import { throwAwayDatabase } from './support/database.js';
import { gate, until } from './support/until.js';

const OK = { grpc: 0, http: 200 };
const REFUSED = { grpc: 10, http: 409 };
const RETRY = { grpc: 14, http: 503 };

describe.each([...transports.map((transport) => [...transport, 1] as const), ['grpc', 'fastify', 16] as const])(
  'barrier over %s (%s), groups of %d',
  (transport, adapter, groupSize) => {
    let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
    let bank: BankApp;
    let caller: BranchCaller;

    beforeAll(async () => {
      database = await throwAwayDatabase();
      bank = await startBank(
        database.dataSource,
        {},
        { lockWaitSeconds: 1, acquireTimeoutMs: 500, groupSize },
        adapter,
      );
      caller = new BranchCaller(bank);
    });
    afterAll(async () => {
      caller?.close();
      await bank?.close();
      await database?.drop();
    });

    test('an action takes effect and leaves one row', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(OK[transport]);
      expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
      expect(await bank.barrierRows(gid)).toEqual(['01 action action']);
    });

    test('the same branch 50 times at once has one effect and 50 successes', async () => {
      const [gid, account] = [randomUUID(), await bank.account(100)];
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => caller.persistently(transport, { gid, transfer: { account, amount: 3 } })),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([OK[transport]]));
      expect(await bank.state(account)).toEqual({ balance: 97, hits: 1 });
      expect(bank.scripts.count(account, 'action')).toBe(1);
    });

    test('a refused action leaves no effect and is final: neither a repeat nor its compensation does anything', async () => {
      const [gid, account] = [randomUUID(), await bank.account(2)];
      const refused = await caller[transport]({ gid, transfer: { account, amount: 3 } });
      expect(refused.status).toBe(REFUSED[transport]);
      expect(refused.text).toContain(`${account} has not enough`);
      await database.dataSource.query('UPDATE account SET balance = 3 WHERE name = ?', [account]);
      const again = await caller[transport]({ gid, transfer: { account, amount: 3 } });
      expect(again.status).toBe(REFUSED[transport]);
      expect(again.text).toContain(`${account} has not enough`);
      expect((await caller[transport]({ gid, op: 'compensate', transfer: { account, amount: 3 } })).status).toBe(
        OK[transport],
      );
      expect(await bank.state(account)).toEqual({ balance: 3, hits: 0 });
      expect(bank.scripts.count(account, 'action')).toBe(1);
      expect(await bank.barrierRows(gid)).toEqual(['01 action compensate', `01 compensate ${account} has not enough`]);
    });

    test('of a refusal and a success at the same time the one that ends first holds for both', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      let first = true;
      bank.scripts.on(account, 'action', () => {
        if (!first) return;
        first = false;
        throw new Refusal('the first time');
      });
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => caller.persistently(transport, { gid, transfer: { account, amount: 3 } })),
      );
      const [status] = answers.map((answer) => answer.status);
      expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => status));
      expect((await bank.state(account)).hits).toBe(status === OK[transport] ? 1 : 0);
    });

    test('a compensation of an action that never came does nothing, and the action does nothing when it comes late', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      expect((await caller[transport]({ gid, op: 'compensate', transfer: { account, amount: 3 } })).status).toBe(
        OK[transport],
      );
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(REFUSED[transport]);
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 0 });
    });

    test('20 compensations at once take one effect back once', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      await caller[transport]({ gid, transfer: { account, amount: 3 } });
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          caller.persistently(transport, { gid, op: 'compensate', transfer: { account, amount: 3 } }),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([OK[transport]]));
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
      // A second executor of the transaction must not go on from here.
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(REFUSED[transport]);
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
    });

    test('a compensation that arrives while the action runs waits for it and takes it back', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      const [entered, leave] = [gate(), gate()];
      bank.scripts.on(account, 'action', async () => {
        entered.open();
        await leave.opened;
      });
      const action = caller[transport]({ gid, transfer: { account, amount: 3 } });
      await entered.opened;
      const compensation = caller[transport]({ gid, op: 'compensate', transfer: { account, amount: 3 } });
      await until('the compensation waits for the row', async () => {
        const [row] = await database.dataSource.query(
          `SELECT count(*) AS n FROM information_schema.processlist WHERE db = ? AND info LIKE 'INSERT IGNORE%'`,
          [database.name],
        );
        return Number(row.n) === 1;
      });
      leave.open();
      expect((await action).status).toBe(OK[transport]);
      expect((await compensation).status).toBe(OK[transport]);
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
    });

    test('branches of one transaction, and gids that differ in case or by a suffix, are told apart', async () => {
      const [gid, account] = [`Gid-${randomUUID()}`, await bank.account(10)];
      for (const call of [{ gid }, { gid, branchId: '02' }, { gid: gid.toLowerCase() }, { gid: `${gid}0` }]) {
        expect((await caller[transport]({ ...call, transfer: { account, amount: 1 } })).status).toBe(OK[transport]);
      }
      expect(await bank.state(account)).toEqual({ balance: 6, hits: 4 });
    });

    test('a payload that is not valid is refused in an action; its effect is not given up in a compensation', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      const refused = await caller[transport]({ gid, transfer: { account, amount: 0 } });
      expect(refused.status).toBe(REFUSED[transport]);
      expect(refused.text).toContain('INVALID_PARAMETER: amount must be > 0');
      const undo = async (id: string, amount: number) =>
        (await caller[transport]({ gid: id, op: 'compensate', transfer: { account, amount } })).status;
      expect(await undo(gid, 0)).toBe(OK[transport]);
      const effective = randomUUID();
      await caller[transport]({ gid: effective, transfer: { account, amount: 1 } });
      expect(await undo(effective, 0)).toBe(RETRY[transport]);
      expect(await undo(effective, 1)).toBe(OK[transport]);
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
    });

    test('a compensation is never refused: DTM is told to call again', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      await caller[transport]({ gid, transfer: { account, amount: 3 } });
      bank.scripts.on(account, 'compensate', () => {
        throw new Refusal('no');
      });
      expect((await caller[transport]({ gid, op: 'compensate', transfer: { account, amount: 3 } })).status).toBe(
        RETRY[transport],
      );
      bank.scripts.off(account, 'compensate');
      expect((await caller[transport]({ gid, op: 'compensate', transfer: { account, amount: 3 } })).status).toBe(
        OK[transport],
      );
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 2 });
    });

    test('an unknown error means retry, rolls back, and its words do not mislead DTM', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      bank.scripts.on(account, 'action', async (tx) => {
        await tx.execute('UPDATE account SET balance = 0 WHERE name = ?', [account]);
        throw new Error('FAILURE ONGOING');
      });
      const answer = await caller[transport]({ gid, transfer: { account, amount: 3 } });
      expect(answer.status).toBe(RETRY[transport]);
      expect(answer.text).not.toMatch(/FAILURE|ONGOING/);
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 0 });
      bank.scripts.off(account, 'action');
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(OK[transport]);
      expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    });

    test('a lock wait means retry, even when the handler makes a refusal of it', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      const holder = database.dataSource.createQueryRunner();
      await holder.startTransaction();
      await holder.query('SELECT * FROM account WHERE name = ? FOR UPDATE', [account]);
      try {
        expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(RETRY[transport]);
        bank.scripts.on(account, 'action', async (tx) => {
          await tx.execute('UPDATE account SET balance = 1 WHERE name = ?', [account]).catch(() => {
            throw new Refusal('could not');
          });
        });
        expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(RETRY[transport]);
      } finally {
        await holder.rollbackTransaction();
        await holder.release();
      }
      expect(await bank.barrierRows(gid)).toEqual([]);
      bank.scripts.off(account, 'action');
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(OK[transport]);
    });

    test.each(['statements', 'the manager'])(
      'a deadlock met by %s means retry and commits nothing, even when the handler swallows it',
      async (by) => {
        const [gid, account, other] = [randomUUID(), await bank.account(10), await bank.account(10)];
        const bystander = await bank.account(1);
        const holder = database.dataSource.createQueryRunner();
        const sql = 'UPDATE account SET hits = hits + 100 WHERE name = ?';
        let blocked: Promise<unknown> | undefined;
        bank.scripts.on(account, 'action', async (tx) => {
          const update = (name: string) =>
            by === 'statements' ? tx.execute(sql, [name]) : tx.manager.query(sql, [name]);
          await update(account);
          blocked = holder.query('UPDATE account SET hits = hits + 1 WHERE name = ?', [account]);
          await update(other).catch(() => undefined);
          await update(bystander).catch(() => undefined);
        });
        await holder.startTransaction();
        // The holder has written more, so that InnoDB makes the branch the victim.
        await holder.query('UPDATE account SET hits = hits + 1 WHERE name <> ? AND name <> ?', [account, bystander]);
        const answer = await caller[transport]({ gid, transfer: { account, amount: 3 } });
        await blocked;
        await holder.rollbackTransaction();
        await holder.release();
        expect(answer.status).toBe(RETRY[transport]);
        expect(await bank.barrierRows(gid)).toEqual([]);
        expect(await bank.state(bystander)).toEqual({ balance: 1, hits: 0 });
        bank.scripts.off(account, 'action');
        expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(OK[transport]);
      },
    );

    test('two branches that find no row and insert one beside each other do not deadlock', async () => {
      const both = [await bank.account(10), await bank.account(10)];
      const found = [gate(), gate()];
      for (const [index, account] of both.entries()) {
        bank.scripts.on(account, 'action', async (tx) => {
          const { affectedRows } = await tx.execute('UPDATE account SET hits = 1 WHERE name = ?', [`new-${account}`]);
          expect(affectedRows).toBe(0);
          found[index]?.open();
          await found[1 - index]?.opened;
          await tx.execute('INSERT INTO account (name, balance) VALUES (?, 0)', [`new-${account}`]);
        });
      }
      const answers = await Promise.all(
        both.map((account) => caller[transport]({ gid: randomUUID(), transfer: { account, amount: 3 } })),
      );
      expect(answers.map(({ status }) => status)).toEqual([OK[transport], OK[transport]]);
    });

    test('a connection lost in the middle means retry, and the pool recovers', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      bank.scripts.on(account, 'action', async (tx) => {
        const [row] = await tx.query<{ id: number }>('SELECT connection_id() AS id');
        await database.dataSource.query(`KILL ${row?.id}`);
      });
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(RETRY[transport]);
      bank.scripts.off(account, 'action');
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(OK[transport]);
      expect(await bank.state(account)).toEqual({ balance: 7, hits: 1 });
    });

    test('a pool with no connection left means retry, in time, and gives what it gets late back', async () => {
      const account = await bank.account(10);
      const holders = Array.from({ length: 8 }, () => database.dataSource.createQueryRunner());
      await Promise.all(holders.map((holder) => holder.connect()));
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => caller[transport]({ gid: randomUUID(), transfer: { account, amount: 1 } })),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([RETRY[transport]]));
      await Promise.all(holders.map((holder) => holder.release()));
      expect((await caller[transport]({ gid: randomUUID(), transfer: { account, amount: 1 } })).status).toBe(
        OK[transport],
      );
      expect(await bank.state(account)).toEqual({ balance: 9, hits: 1 });
    });

    test('a call whose caller gave up while it waited for a connection is not begun', async () => {
      if (transport === 'http') return;
      const [gid, account] = [randomUUID(), await bank.account(10)];
      const holders = Array.from({ length: 8 }, () => database.dataSource.createQueryRunner());
      await Promise.all(holders.map((holder) => holder.connect()));
      const late = performance.now() + 200;
      expect((await caller.grpc({ gid, transfer: { account, amount: 1 }, deadlineMs: 100 })).status).toBe(RETRY.grpc);
      await until('the call is past its deadline at the server too', () => performance.now() > late);
      await Promise.all(holders.map((holder) => holder.release()));
      expect((await caller.grpc({ gid: randomUUID(), transfer: { account, amount: 1 } })).status).toBe(0);
      expect(await bank.barrierRows(gid)).toEqual([]);
      expect(bank.scripts.count(account, 'action')).toBe(1);
    });

    test('no connection goes back to the pool with a transaction open', async () => {
      const rows: { n: string | number }[] = await database.dataSource.query(
        `SELECT count(*) AS n FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.db = ? AND p.id <> connection_id()`,
        [database.name],
      );
      expect(Number(rows[0]?.n)).toBe(0);
    });

    test('the manager works in the same transaction, and its own transactions are savepoints', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      bank.scripts.on(account, 'action', async (tx) => {
        await tx.manager.query('UPDATE account SET balance = 8 WHERE name = ?', [account]);
        await tx.manager
          .transaction(async (nested) => {
            await nested.query('UPDATE account SET balance = 1 WHERE name = ?', [account]);
            throw new Error('only the nested part');
          })
          .catch(() => undefined);
        const [seen] = await tx.query<{ balance: number }>('SELECT balance FROM account WHERE name = ?', [account]);
        expect(seen?.balance).toBe(8);
        throw new Refusal('and all of it');
      });
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(REFUSED[transport]);
      expect(await bank.state(account)).toEqual({ balance: 10, hits: 0 });
    });

    test('a statement issued after the handler has returned is rejected', async () => {
      const [gid, account] = [randomUUID(), await bank.account(10)];
      const [returned, late] = [gate(), Promise.withResolvers<unknown>()];
      bank.scripts.on(account, 'action', (tx) => {
        returned.opened
          .then(() => tx.execute('UPDATE account SET balance = 0 WHERE name = ?', [account]))
          .catch(late.resolve);
      });
      expect((await caller[transport]({ gid, transfer: { account, amount: 3 } })).status).toBe(OK[transport]);
      returned.open();
      expect(String(await late.promise)).toMatch(/has ended/);
      expect((await bank.state(account)).balance).toBe(7);
    });
  },
);
