import { AsyncResource } from 'node:async_hooks';
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2';
import type { DataSource } from 'typeorm';
import { describe } from '../branch/answer.js';
import type { Branch } from '../branch/branch.js';
import { isWrongServer, Transient } from '../branch/classify.js';
import { undoingOf, undoneBy } from '../branch/op.js';
import { sendableText } from '../branch/sendable-text.js';
import { DtmNotDone } from '../errors.js';
import { assertGid } from '../gid.js';
import type { Barrier, BarrierCall, BarrierOutcome, StepOutcome } from './barrier.js';
import { AT_PLACE, BARRIER_ROW, barrierRow, insertIgnore, place, quoteTable } from './barrier-table.js';
import { type BranchContext, branchContext } from './branch-context.js';
import { type Bypass, guardDataSource } from './bypass-guard.js';
import { CallGroups } from './call-groups.js';
import { discardUseless } from './discard-useless.js';
import { localBranch } from './local-branch.js';
import type { LocalOutcome, LocalStep } from './local-step.js';
import { MysqlTransaction } from './mysql-transaction.js';
import { orAbandon } from './or-abandon.js';
import { SharedWrites } from './shared-writes.js';

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
  /**
   * What becomes of a statement that a branch sends through the DataSource itself, past its transaction: it would stay after a
   * refusal, and needs a second connection while the branch holds one. `error`: it is not sent, and the branch is retried. `warn`: a
   * log line. Default `error`, with NODE_ENV=production `warn`.
   */
  bypass?: Bypass;
  /**
   * How many actions that arrive together may share one transaction, each with its own barrier row. Default 1: none. More
   * saves round trips and commits under load. Handlers then run one after the other, up to their `LocalTransaction.writeTogether` and
   * from there; when one of them fails, all are rolled back and run again alone, so a handler must do nothing but SQL in the
   * branch's transaction.
   */
  groupSize?: number;
}

interface KeptRow extends RowDataPacket {
  reason: string;
  result: string | null;
}

interface UndoingRow extends RowDataPacket {
  op: string;
  reason: string;
}

/** Length of the barrier table's column `reason`. */
const MAX_REASON = 45;

/** What is used of TypeORM's driver for MySQL and MariaDB: a pooled mysql2 connection, first come, first served. */
interface PoolingDriver {
  obtainMasterConnection(): Promise<PoolConnection>;
  /** Once it is connected, and unless it replicates. */
  readonly pool?: Pool;
}

/** DTM's barrier on MySQL or MariaDB, over the connections of a TypeORM DataSource with the mysql2 driver. */
export function mysqlBarrier(dataSource: DataSource, options: MysqlBarrierOptions = {}): MysqlBarrier {
  return new MysqlBarrier(dataSource, options);
}

/** Made by {@link mysqlBarrier}. */
export class MysqlBarrier implements Barrier {
  readonly #insert: string;
  readonly #insertOne: string;
  readonly #insertTwo: string;
  readonly #selectReason: string;
  readonly #selectUndoing: string;
  readonly #selectResult: string;
  readonly #keepResult: string;
  readonly #acquireTimeoutMs: number;
  readonly #session: readonly string[];
  readonly #prepared = new WeakSet<PoolConnection>();
  readonly #groups: CallGroups | undefined;

  constructor(
    private readonly dataSource: DataSource,
    {
      table = 'barrier',
      acquireTimeoutMs = 2_000,
      lockWaitSeconds = 2,
      isolation = 'READ COMMITTED',
      bypass = process.env.NODE_ENV === 'production' ? 'warn' : 'error',
      groupSize = 1,
    }: MysqlBarrierOptions,
  ) {
    guardDataSource(dataSource, bypass);
    this.#insert = insertIgnore(table);
    this.#insertOne = `${this.#insert}${BARRIER_ROW}`;
    this.#insertTwo = `${this.#insert}${BARRIER_ROW}, ${BARRIER_ROW}`;
    this.#selectReason = `SELECT reason FROM ${quoteTable(table)} ${AT_PLACE}`;
    // Locking: waits for a compensation that is under way, and sees what has committed since the transaction began.
    this.#selectUndoing = `SELECT op, reason FROM ${quoteTable(table)} ${AT_PLACE} LOCK IN SHARE MODE`;
    this.#selectResult = `SELECT reason, result FROM ${quoteTable(table)} ${AT_PLACE}`;
    this.#keepResult = `UPDATE ${quoteTable(table)} SET result = ? ${AT_PLACE}`;
    this.#acquireTimeoutMs = acquireTimeoutMs;
    this.#session = [
      ...(isolation === 'server' ? [] : [`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`]),
      ...(lockWaitSeconds > 0 ? [`SET SESSION innodb_lock_wait_timeout = ${Math.trunc(lockWaitSeconds)}`] : []),
    ];
    const runner = { alone: this.#alone.bind(this), together: this.#together.bind(this) };
    if (groupSize > 1) this.#groups = new CallGroups(runner, groupSize);
  }

  /** Runs a branch handler in one transaction with its barrier row. */
  call<T>(call: BarrierCall<T>): Promise<BarrierOutcome<T>> {
    if (!this.#groups || call.branch.op !== 'action') return this.#alone(call);
    return this.#groups.call({ ...call, inCaller: callersContext() });
  }

  /**
   * The local step of a message: `work` runs in one transaction with its mark, which `LocalTransaction` finds, once per gid or
   * never.
   */
  local<T>(work: () => Promise<T>): LocalStep<T> {
    const attempt = async (gid: string, server: string | undefined): Promise<LocalOutcome<T>> => {
      const outcome = await this.#alone({ branch: localBranch(gid, server), work, cancelled: () => false });
      if (outcome.ran) return { done: true, repeat: false, value: outcome.value };
      return (await this.backCheck(gid, server)) === 'done'
        ? { done: true, repeat: true }
        : { done: false, why: 'rolled-back' };
    };
    return {
      run: async (gid, server) => {
        assertGid(gid);
        return onAnotherServer(gid, () => attempt(gid, server));
      },
      check: (gid, server) => onAnotherServer(gid, () => this.backCheck(gid, server)),
    };
  }

  /** Whether the local step of this gid was done; when not, it never will be. Waits for one that is under way. */
  async backCheck(gid: string, server?: string): Promise<'done' | 'rolled-back'> {
    assertGid(gid);
    return this.#withConnection(async (transaction) => {
      const branch = localBranch(gid, server);
      await transaction.execute(this.#insertOne, barrierRow(branch, branch.op, 'rollback'));
      const [row] = await transaction.execute<RowDataPacket[]>(this.#selectReason, place(branch));
      return row?.reason === branch.op ? 'done' : 'rolled-back';
    });
  }

  /** Does a local step of a workflow; `workflowMigration` adds the column for what it returns. */
  async step(branch: Branch, work: () => Promise<string>): Promise<StepOutcome> {
    const outcome = await this.#alone({
      branch,
      cancelled: () => false,
      work: async () => {
        const result = await work();
        await currentTransaction()
          .execute(this.#keepResult, [result, ...place(branch)])
          .catch(asMissingColumn);
        return result;
      },
    });
    if (outcome.ran) return { done: true, result: outcome.value };
    if (outcome.why === 'undone') return { done: false };
    const [row] = await this.#withConnection((transaction) =>
      transaction.execute<KeptRow[]>(this.#selectResult, place(branch)).catch(asMissingColumn),
    );
    return row?.reason === branch.op ? { done: true, result: row.result ?? '' } : { done: false };
  }

  /** Takes a local step of a workflow back. */
  async stepBack(branch: Branch, work: () => Promise<void>): Promise<void> {
    await this.#alone({ branch, work, cancelled: () => false });
  }

  /** Runs actions in one transaction: all take effect, or this throws and none does. */
  async #together(calls: readonly BarrierCall<unknown>[]): Promise<BarrierOutcome<unknown>[]> {
    const signals = calls.flatMap(({ signal }) => signal ?? []);
    return this.#onConnection(signals.length > 0 ? AbortSignal.any(signals) : undefined, async (transaction, run) => {
      try {
        await run('BEGIN');
        const insert = `${this.#insert}${calls.map(() => BARRIER_ROW).join(', ')}`;
        const { affectedRows } = await transaction.execute<ResultSetHeader>(
          insert,
          calls.flatMap(({ branch }) => barrierRow(branch, 'action')),
        );
        if (affectedRows !== calls.length) throw new Error('one of these branches ran before');
        const outcomes = await this.#runAll(calls, transaction);
        await run('COMMIT');
        return outcomes;
      } catch (error) {
        await run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  /**
   * Runs the handlers of a group one after the other: each up to its end or to what it writes together with the others, and when
   * that is written the rest of each. Throws when one throws, and only when none of them runs any more.
   */
  async #runAll(
    calls: readonly BarrierCall<unknown>[],
    transaction: MysqlTransaction,
  ): Promise<BarrierOutcome<unknown>[]> {
    const writes = new SharedWrites();
    const running: { context: BranchContext; outcome: Promise<BarrierOutcome<unknown>> }[] = [];
    try {
      for (const { branch, work, cancelled, inCaller = directly } of calls) {
        if (cancelled()) throw new Error('a caller gave up while its call waited');
        const context = { branch, transaction: transaction.shared(), writes };
        const outcome = inCaller(() => branchContext.run(context, work))
          .finally(() => context.transaction.end())
          .then((value) => {
            if (transaction.failed !== undefined) throw transaction.failed;
            return { ran: true as const, value };
          });
        running.push({ context, outcome });
        await writes.reached(context, outcome);
      }
      await writes.write();
      const outcomes: BarrierOutcome<unknown>[] = [];
      for (const { context, outcome } of running) {
        writes.release(context);
        outcomes.push(await outcome);
      }
      return outcomes;
    } catch (error) {
      for (const { context } of running) context.transaction.end();
      writes.abandon(error);
      await Promise.allSettled(running.map(({ outcome }) => outcome));
      throw error;
    }
  }

  #alone<T>(call: BarrierCall<T>): Promise<BarrierOutcome<T>> {
    const { branch, work, cancelled, signal, refuses, inCaller = directly } = call;
    return this.#onConnection(signal, async (transaction, run) => {
      if (cancelled()) throw new Error('the caller gave up while the call waited for a connection');
      try {
        await run('BEGIN');
        const outcome: BarrierOutcome<T> = (await this.#enter(transaction, branch)) ?? {
          ran: true,
          value: await inCaller(() => branchContext.run({ branch, transaction }, work)),
        };
        transaction.end();
        if (transaction.failed !== undefined) throw transaction.failed;
        await run('COMMIT');
        return outcome;
      } catch (error) {
        transaction.end();
        // The handler may have turned a deadlock into a refusal; it is none.
        const failure = transaction.failed ?? error;
        const undoing = refuses?.(failure) ? undoingOf(branch.transType, branch.op) : undefined;
        if (undoing === undefined) {
          await run('ROLLBACK').catch(() => undefined);
          throw failure;
        }
        await run('ROLLBACK AND CHAIN');
        const before = await this.#refuse(
          new MysqlTransaction(this.dataSource, transaction.connection),
          branch,
          undoing,
          failure,
        );
        await run(before ? 'ROLLBACK' : 'COMMIT');
        if (before) return before;
        throw failure;
      }
    });
  }

  /**
   * Inserts the barrier rows; returns why the handler must not run. A compensation also takes its action's place: when that
   * row is new, the action never took effect, and will find the place taken should it still arrive.
   *
   * An insert waits while another transaction holds the same row uncommitted, so that a repeat of a running action, and its
   * compensation, learn how it ended.
   */
  async #enter(transaction: MysqlTransaction, branch: Branch): Promise<NotRun | undefined> {
    const undone = undoneBy(branch.op);
    if (undone === undefined) {
      const { affectedRows } = await transaction.execute<ResultSetHeader>(
        this.#insertOne,
        barrierRow(branch, branch.op),
      );
      return affectedRows === 1 ? undefined : this.#before(transaction, branch);
    }
    // Both rows in one statement. New are: both (the action never took effect), the compensation's only (it did), or none
    // (a repeat); the action's alone cannot be, as a compensation row never exists without it.
    const { affectedRows } = await transaction.execute<ResultSetHeader>(this.#insertTwo, [
      ...barrierRow(branch, undone),
      ...barrierRow(branch, branch.op),
    ]);
    if (affectedRows === 1) return undefined;
    return { ran: false, why: affectedRows === 0 ? 'repeat' : 'null-compensation' };
  }

  /** What a branch whose row is there came to. */
  async #before(transaction: MysqlTransaction, branch: Branch): Promise<NotRun> {
    const undoing = undoingOf(branch.transType, branch.op);
    if (undoing === undefined) return { ran: false, why: 'repeat' };
    const [row] = await transaction.execute<UndoingRow[]>(this.#selectUndoing, place(branch, undoing));
    if (!row) return { ran: false, why: 'repeat' };
    return { ran: false, why: 'undone', ...(row.reason !== row.op && { reason: row.reason }) };
  }

  /**
   * Makes a refusal final by the rows of a compensation that had nothing to take back; the second one's reason is the refusal's.
   * Returns what a repeat of the branch has come to meanwhile, which holds then.
   */
  async #refuse(
    transaction: MysqlTransaction,
    branch: Branch,
    undoing: string,
    error: unknown,
  ): Promise<NotRun | undefined> {
    const { affectedRows } = await transaction.execute<ResultSetHeader>(this.#insertTwo, [
      ...barrierRow(branch, branch.op, undoing),
      ...barrierRow(branch, undoing, sendableText(describe(error), MAX_REASON)),
    ]);
    if (affectedRows === 2) return undefined;
    // New is the compensation's only: the action's was there, of a repeat that took effect.
    return affectedRows === 1 ? { ran: false, why: 'repeat' } : this.#before(transaction, branch);
  }

  /** Statements that each commit by themselves. */
  #withConnection<T>(use: (statements: MysqlTransaction) => Promise<T>): Promise<T> {
    return this.#onConnection(undefined, use);
  }

  /**
   * Lends a connection. It goes back to the pool only when `use` has ended all it began: a connection on which `run` failed, or that
   * is in use when the signal aborts, is destroyed, and the server rolls back what is open on it.
   */
  async #onConnection<T>(
    signal: AbortSignal | undefined,
    use: (transaction: MysqlTransaction, run: (sql: string) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#acquire(signal);
    const transaction = new MysqlTransaction(this.dataSource, connection);
    let usable = true;
    const run = (sql: string): Promise<void> =>
      statement(connection, sql).catch((error: unknown) => {
        usable = false;
        throw error;
      });
    const lent = async (): Promise<T> => {
      try {
        await this.#prepare(connection);
        return await use(transaction, run);
      } finally {
        if (usable) connection.release();
        else connection.destroy();
      }
    };
    return orAbandon(signal, lent, (reason) => {
      usable = false;
      transaction.fail(reason);
      connection.destroy();
    });
  }

  /** Sets the session once per connection, not per call. */
  async #prepare(connection: PoolConnection): Promise<void> {
    if (this.#prepared.has(connection)) return;
    for (const sql of this.#session) await statement(connection, sql);
    this.#prepared.add(connection);
  }

  /** A connection from the DataSource's pool, whose queue is first in, first out. One that comes too late goes straight back. */
  #acquire(signal: AbortSignal | undefined): Promise<PoolConnection> {
    const driver = this.dataSource.driver as unknown as PoolingDriver;
    if (driver.pool) discardUseless(driver.pool);
    return new Promise((resolve, reject) => {
      let late = false;
      const giveUp = (reason: unknown): void => {
        late = true;
        reject(reason);
      };
      const abandon = (): void => giveUp(signal?.reason);
      if (signal?.aborted) return abandon();
      signal?.addEventListener('abort', abandon, { once: true });
      const timer = setTimeout(
        () => giveUp(new Transient(`no free database connection within ${this.#acquireTimeoutMs} ms`)),
        this.#acquireTimeoutMs,
      );
      driver
        .obtainMasterConnection()
        .then((connection) => {
          if (late) connection.release();
          else resolve(connection);
        }, reject)
        .finally(() => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abandon);
        });
    });
  }
}

/** Once more when the server takes no writes: its connection is gone then, and the next is to what stands under the name now. */
async function onAnotherServer<T>(gid: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isWrongServer(error)) throw error;
  }
  try {
    return await run();
  } catch (error) {
    throw isWrongServer(error) ? new DtmNotDone('the database takes no writes', { gid, cause: error }) : error;
  }
}

type NotRun = Extract<BarrierOutcome<never>, { ran: false }>;

const directly = <R>(run: () => R): R => run();

/** As AsyncLocalStorage.snapshot(), which takes some 5 µs since it defines a deprecated property each time. */
function callersContext(): <R>(run: () => R) => R {
  const caller = new AsyncResource('DtmBranch');
  return (run) => caller.runInAsyncScope(run);
}

/** Of the work that runs inside the barrier. */
function currentTransaction(): MysqlTransaction {
  const context = branchContext.getStore();
  if (!context) throw new Error('outside of a local transaction');
  return context.transaction;
}

/** MySQL's 1054, in words that help. */
function asMissingColumn(error: { errno?: number }): never {
  if (error.errno !== 1054) throw error;
  throw new Error('the barrier table keeps no results: add workflowMigration to the migrations', { cause: error });
}

function statement(connection: PoolConnection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query(sql, (error) => (error ? reject(error) : resolve()));
  });
}
