import type { PoolConnection, ResultSetHeader } from 'mysql2';
import type { DataSource } from 'typeorm';
import type { Branch } from '../branch/branch.js';
import type { Barrier, BarrierCall, BarrierOutcome } from './barrier.js';
import { branchContext } from './branch-context.js';
import { MysqlTransaction, type SqlValue } from './mysql-transaction.js';

/** Settings of the MySQL barrier. */
export interface MysqlBarrierOptions {
  /** Barrier table, created by `CreateBarrierTable`. Default `barrier`. */
  table?: string;
  /** Longest wait for a connection of the pool, milliseconds; then DTM is told to try again. Default 2000. */
  acquireTimeoutMs?: number;
  /**
   * `innodb_lock_wait_timeout` of the connections branches run on, seconds. Default 2: below DTM's 3 s, so that a branch that
   * waits for a hot row answers before DTM has given up. 0 leaves the server's (50).
   */
  lockWaitSeconds?: number;
  /**
   * Isolation of the connections branches run on. Default `READ COMMITTED`: an update that finds no row then leaves no gap
   * locked; under REPEATABLE READ two branches that look for a row and insert it side by side deadlock. `server` leaves the
   * server's.
   */
  isolation?: 'READ COMMITTED' | 'server';
}

/** What is used of TypeORM's driver for MySQL and MariaDB: a pooled mysql2 connection, first come, first served. */
interface PoolingDriver {
  obtainMasterConnection(): Promise<PoolConnection>;
}

/** DTM's barrier on MySQL or MariaDB, over the connections of a TypeORM DataSource with the mysql2 driver. */
export function mysqlBarrier(dataSource: DataSource, options: MysqlBarrierOptions = {}): Barrier {
  return new MysqlBarrier(dataSource, options);
}

class MysqlBarrier implements Barrier {
  readonly #insertOne: string;
  readonly #insertTwo: string;
  readonly #acquireTimeoutMs: number;
  readonly #session: readonly string[];
  readonly #prepared = new WeakSet<PoolConnection>();

  constructor(
    private readonly dataSource: DataSource,
    {
      table = 'barrier',
      acquireTimeoutMs = 2_000,
      lockWaitSeconds = 2,
      isolation = 'READ COMMITTED',
    }: MysqlBarrierOptions,
  ) {
    const name = table
      .split('.')
      .map((part) => `\`${part.replaceAll('`', '``')}\``)
      .join('.');
    const insert = `INSERT IGNORE INTO ${name} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES `;
    this.#insertOne = `${insert}(?, ?, ?, ?, '01', ?)`;
    this.#insertTwo = `${insert}(?, ?, ?, ?, '01', ?), (?, ?, ?, ?, '01', ?)`;
    this.#acquireTimeoutMs = acquireTimeoutMs;
    this.#session = [
      ...(isolation === 'server' ? [] : [`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`]),
      ...(lockWaitSeconds > 0 ? [`SET SESSION innodb_lock_wait_timeout = ${Math.trunc(lockWaitSeconds)}`] : []),
    ];
  }

  async call<T>({ branch, work, cancelled }: BarrierCall<T>): Promise<BarrierOutcome<T>> {
    const connection = await this.#acquire();
    const transaction = new MysqlTransaction(connection, this.dataSource);
    try {
      if (cancelled()) throw new Error('the caller gave up while the call waited for a connection');
      await this.#prepare(connection);
      await run(connection, 'BEGIN');
      const why = await this.#enter(transaction, branch);
      const outcome: BarrierOutcome<T> = why
        ? { ran: false, why }
        : { ran: true, value: await branchContext.run({ branch, transaction }, work) };
      transaction.end();
      if (transaction.failed !== undefined) throw transaction.failed;
      await run(connection, 'COMMIT');
      connection.release();
      return outcome;
    } catch (error) {
      transaction.end();
      await rollback(connection);
      // The handler may have turned a deadlock into a refusal; it is none.
      throw transaction.failed ?? error;
    }
  }

  /**
   * Inserts the barrier rows; returns why the handler must not run. A compensation also takes its action's place: when that
   * row is new, the action never took effect, and will find the place taken should it still arrive.
   *
   * An insert waits while another transaction holds the same row uncommitted, so that a repeat of a running action, and its
   * compensation, learn how it ended.
   */
  async #enter(transaction: MysqlTransaction, branch: Branch): Promise<'repeat' | 'null-compensation' | null> {
    const row = (op: string): SqlValue[] => [branch.transType, branch.gid, branch.branchId, op, branch.op];
    if (branch.op === 'action') {
      const { affectedRows } = await transaction.execute<ResultSetHeader>(this.#insertOne, row('action'));
      return affectedRows === 1 ? null : 'repeat';
    }
    // Both rows in one statement. New are: both (the action never took effect), the compensation's only (it did), or none
    // (a repeat); the action's alone cannot be, as a compensation row never exists without it.
    const { affectedRows } = await transaction.execute<ResultSetHeader>(this.#insertTwo, [
      ...row('action'),
      ...row('compensate'),
    ]);
    return affectedRows === 1 ? null : affectedRows === 0 ? 'repeat' : 'null-compensation';
  }

  /** Sets the session once per connection, not per call. */
  async #prepare(connection: PoolConnection): Promise<void> {
    if (this.#prepared.has(connection)) return;
    for (const statement of this.#session) await run(connection, statement);
    this.#prepared.add(connection);
  }

  /** A connection from the DataSource's pool, whose queue is first in, first out. One that comes too late goes straight back. */
  #acquire(): Promise<PoolConnection> {
    const driver = this.dataSource.driver as unknown as PoolingDriver;
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(new Error(`no free database connection within ${this.#acquireTimeoutMs} ms`));
      }, this.#acquireTimeoutMs);
      driver.obtainMasterConnection().then(
        (connection) => {
          clearTimeout(timer);
          if (late) connection.release();
          else resolve(connection);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  }
}

function run(connection: PoolConnection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query(sql, (error) => (error ? reject(error) : resolve()));
  });
}

/** Never gives a connection back with a transaction open: one that cannot be rolled back is thrown away. */
async function rollback(connection: PoolConnection): Promise<void> {
  try {
    await run(connection, 'ROLLBACK');
    connection.release();
  } catch {
    connection.destroy();
  }
}
