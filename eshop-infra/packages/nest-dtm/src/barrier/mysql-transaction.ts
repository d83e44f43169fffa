import type { PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { isTransient } from '../branch/classify.js';
import { unguarded } from './bypass-guard.js';

/** A value mysql2 can bind. */
export type SqlValue = string | number | bigint | boolean | Date | Buffer | null;

/** What a prepared statement returns: a header for a write, rows for a read. */
export type StatementResult = ResultSetHeader | RowDataPacket[];

/** The inner state of TypeORM's runner, set so that it joins a transaction it has not begun itself. */
interface JoinableRunner {
  databaseConnection: PoolConnection;
  isTransactionActive: boolean;
  transactionDepth: number;
}

/** One open transaction on one pooled connection. */
export class MysqlTransaction {
  /** Of all who share it. */
  #failure: { error?: unknown } = {};
  #ended = false;
  #manager: EntityManager | undefined;

  constructor(
    private readonly dataSource: DataSource,
    readonly connection: PoolConnection,
  ) {}

  /**
   * The error after which nothing of this transaction may be committed: a deadlock has rolled it back already (what follows
   * would run outside of it), after a lock wait part of the work is missing.
   */
  get failed(): unknown {
    return this.#failure.error;
  }

  /** The same transaction for another call, which ends by itself. What fails it for one fails it for all. */
  shared(): MysqlTransaction {
    const other = new MysqlTransaction(this.dataSource, this.connection);
    other.#failure = this.#failure;
    return other;
  }

  /** Runs a prepared statement; the connection keeps it prepared. */
  execute<R extends StatementResult>(sql: string, values: readonly SqlValue[]): Promise<R> {
    if (this.#ended) return Promise.reject(new Error('the local transaction has ended; was a promise not awaited?'));
    if (this.failed !== undefined) return Promise.reject(this.failed);
    return new Promise((resolve, reject) => {
      this.connection.execute<R>(sql, values as SqlValue[], (error, result) => {
        if (!error) return resolve(result);
        this.note(error);
        reject(error);
      });
    });
  }

  /** A TypeORM manager on the same connection; its nested transactions become savepoints. */
  get manager(): EntityManager {
    this.#manager ??= this.#join();
    return this.#manager;
  }

  /** Remembers an error that spoils the whole transaction. */
  note(error: unknown): void {
    if (isTransient(error)) this.fail(error);
  }

  /** Nothing of it may be committed any more. */
  fail(error: unknown): void {
    this.#failure.error ??= error;
  }

  /** Whether it is one of this DataSource, and still open. */
  isOn(dataSource: DataSource): boolean {
    return this.dataSource === dataSource && !this.#ended;
  }

  /** No statement may follow. */
  end(): void {
    this.#ended = true;
  }

  #join(): EntityManager {
    const runner = unguarded(this.dataSource);
    const inner = runner as unknown as JoinableRunner;
    inner.databaseConnection = this.connection;
    inner.isTransactionActive = true;
    inner.transactionDepth = 1;
    const query: QueryRunner['query'] = runner.query.bind(runner);
    runner.query = async (...parameters: Parameters<QueryRunner['query']>) => {
      if (this.#ended) throw new Error('the local transaction has ended; was a promise not awaited?');
      if (this.failed !== undefined) throw this.failed;
      try {
        return await query(...parameters);
      } catch (error) {
        this.note(error);
        throw error;
      }
    };
    return runner.manager;
  }
}
