import { randomUUID } from 'node:crypto';
import { createConnection as createCallbackConnection } from 'mysql2';
import { createConnection } from 'mysql2/promise';
import type { EntityManager } from 'typeorm';
import { type Branch, DtmInvalidOption, Refusal } from '../src/index.js';
import { barrierIn, barrierMigrationFor, mysqlBarrier, type OpenTransaction } from '../src/mysql.js';
import { throwAwayDatabase } from './support/database.js';
import { env } from './support/env.js';
import { gate } from './support/until.js';

const TABLE = 'other_barrier';

/** Opens a transaction of this kind, and ends it as the work ends. */
type InTransaction = <T>(work: (transaction: OpenTransaction) => Promise<T>) => Promise<T>;

describe.each(['EntityManager', 'QueryRunner', 'mysql2 with promises', 'mysql2 with callbacks'])(
  'barrier in a transaction of one’s own: %s',
  (kind) => {
    let database: Awaited<ReturnType<typeof throwAwayDatabase>>;
    let inTransaction: InTransaction;

    beforeAll(async () => {
      database = await throwAwayDatabase();
      const runner = database.dataSource.createQueryRunner();
      const Migration = barrierMigrationFor(TABLE);
      await new Migration().up(runner);
      await runner.release();
      inTransaction = opener(kind);
    });
    afterAll(() => database?.drop());

    function opener(of: string): InTransaction {
      const { dataSource } = database;
      const uri = `${env.mysqlUrl}/${database.name}`;
      switch (of) {
        case 'EntityManager':
          return (work) => dataSource.transaction(work);
        case 'QueryRunner':
          return async (work) => {
            const runner = dataSource.createQueryRunner();
            await runner.startTransaction();
            try {
              const value = await work(runner);
              await runner.commitTransaction();
              return value;
            } catch (error) {
              await runner.rollbackTransaction();
              throw error;
            } finally {
              await runner.release();
            }
          };
        default:
          return async (work) => {
            const given = of.endsWith('promises') ? await createConnection(uri) : createCallbackConnection(uri);
            const connection =
              'promise' in given && typeof given.promise === 'function' ? given.promise() : await createConnection(uri);
            const used = of.endsWith('promises') ? connection : given;
            try {
              await connection.beginTransaction();
              const value = await work(used);
              await connection.commit();
              return value;
            } catch (error) {
              await connection.rollback();
              throw error;
            } finally {
              await connection.end();
              if (given !== connection) given.destroy();
            }
          };
      }
    }

    const branch = (gid: string, op: Branch['op'] = 'action'): Branch => ({
      transType: 'saga',
      gid,
      branchId: '01',
      op,
    });

    async function account(): Promise<string> {
      const name = randomUUID();
      await database.dataSource.query('INSERT INTO account (name, balance) VALUES (?, 10)', [name]);
      return name;
    }

    async function hits(name: string): Promise<number> {
      const [row] = await database.dataSource.query('SELECT hits FROM account WHERE name = ?', [name]);
      return Number(row.hits);
    }

    async function hit(transaction: OpenTransaction, name: string): Promise<string> {
      const sql = 'UPDATE account SET hits = hits + 1 WHERE name = ?';
      if ('promise' in transaction && typeof transaction.promise === 'function')
        await transaction.promise().query(sql, [name]);
      else await (transaction as EntityManager).query(sql, [name]);
      return 'hit';
    }

    const call = (gid: string, op: Branch['op'], name: string) =>
      inTransaction((transaction) =>
        barrierIn(transaction, { table: TABLE }).call(branch(gid, op), () => hit(transaction, name)),
      );

    test('an action and its compensation take effect once each', async () => {
      const [gid, name] = [randomUUID(), await account()];
      expect(await call(gid, 'action', name)).toEqual({ ran: true, value: 'hit' });
      expect(await call(gid, 'action', name)).toEqual({ ran: false, why: 'repeat' });
      expect(await call(gid, 'compensate', name)).toEqual({ ran: true, value: 'hit' });
      expect(await call(gid, 'compensate', name)).toEqual({ ran: false, why: 'repeat' });
      await expect(call(gid, 'action', name)).rejects.toBeInstanceOf(Refusal);
      expect(await hits(name)).toBe(2);
      const rows = await database.dataSource.query(`SELECT op FROM ${TABLE} WHERE gid = ? ORDER BY op`, [gid]);
      expect(rows).toEqual([{ op: 'action' }, { op: 'compensate' }]);
    });

    test('a compensation of nothing does nothing, and nor does the action that comes after it', async () => {
      const [gid, name] = [randomUUID(), await account()];
      expect(await call(gid, 'compensate', name)).toEqual({ ran: false, why: 'null-compensation' });
      await expect(call(gid, 'action', name)).rejects.toEqual(new Refusal('this branch has been compensated'));
      expect(await hits(name)).toBe(0);
    });

    test('ten at once take effect once', async () => {
      const [gid, name] = [randomUUID(), await account()];
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => call(gid, 'action', name)));
      expect(outcomes.filter(({ ran }) => ran)).toHaveLength(1);
      expect(await hits(name)).toBe(1);
    });

    test('an error takes the barrier row back with the work', async () => {
      const [gid, name] = [randomUUID(), await account()];
      const failing = inTransaction((transaction) =>
        barrierIn(transaction, { table: TABLE }).call(branch(gid), async () => {
          await hit(transaction, name);
          throw new Error('what the work says');
        }),
      );
      await expect(failing).rejects.toThrow('what the work says');
      expect(await call(gid, 'action', name)).toMatchObject({ ran: true });
      expect(await hits(name)).toBe(1);
    });

    test('a local step is told by the back-check, on both sides', async () => {
      const name = await account();
      const backCheck = (gid: string) => mysqlBarrier(database.dataSource, { table: TABLE }).backCheck(gid);
      const local = (gid: string, work = () => Promise.resolve()) =>
        inTransaction((transaction) =>
          barrierIn(transaction, { table: TABLE }).local(gid, async () => {
            await work();
            return hit(transaction, name);
          }),
        );
      const [gid, lost, raced] = [randomUUID(), randomUUID(), randomUUID()];
      expect(await local(gid)).toEqual({ done: true, repeat: false, value: 'hit' });
      expect(await local(gid)).toEqual({ done: true, repeat: true });
      expect(await backCheck(gid)).toBe('done');
      expect(await backCheck(lost)).toBe('rolled-back');
      expect(await local(lost)).toEqual({ done: false, why: 'rolled-back' });
      const [entered, leave] = [gate(), gate()];
      const running = local(raced, () => {
        entered.open();
        return leave.opened;
      });
      await entered.opened;
      const [second, asked] = [local(raced), backCheck(raced)];
      leave.open();
      expect([await running, await second, await asked]).toEqual([
        { done: true, repeat: false, value: 'hit' },
        { done: true, repeat: true },
        'done',
      ]);
      expect(await hits(name)).toBe(2);
    });

    test('what does not fit the columns is refused before any SQL', async () => {
      const call = (change: Partial<Branch>) =>
        inTransaction((transaction) =>
          barrierIn(transaction).call({ ...branch(randomUUID()), ...change }, () => Promise.resolve()),
        );
      await expect(call({ gid: 'g'.repeat(129) })).rejects.toBeInstanceOf(DtmInvalidOption);
      await expect(call({ branchId: 'b'.repeat(129) })).rejects.toBeInstanceOf(DtmInvalidOption);
      await expect(call({ branchId: '' })).rejects.toBeInstanceOf(DtmInvalidOption);
    });

    test('without an open transaction TypeORM’s manager and runner are refused', async () => {
      const { dataSource } = database;
      expect(() => barrierIn(dataSource.manager)).toThrow('no transaction is open');
      const runner = dataSource.createQueryRunner();
      expect(() => barrierIn(runner)).toThrow('no transaction is open');
      await runner.release();
    });
  },
);

test('the migration of a table of another name goes both ways and is remembered under a name of its own', async () => {
  const database = await throwAwayDatabase();
  const Migration = barrierMigrationFor('mine.too');
  expect(new Migration().name).toBe('CreateBarrierTable_mine_too_1700000000000');
  const [Mine, runner] = [barrierMigrationFor('mine'), database.dataSource.createQueryRunner()];
  await new Mine().up(runner);
  await new Mine().up(runner);
  expect(await runner.hasTable('mine')).toBe(true);
  await new Mine().down(runner);
  expect(await runner.hasTable('mine')).toBe(false);
  await runner.release();
  await database.drop();
});
