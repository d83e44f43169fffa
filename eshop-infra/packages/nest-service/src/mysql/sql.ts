import type { Pool, PoolConnection, QueryResult, ResultSetHeader } from 'mysql2';
import type { DataSource } from 'typeorm';
import { poolOf } from './pool.js';

/** A value in the place of a `?`. */
export type SqlValue = string | number | boolean | Date | Buffer | null;

/** What a statement that writes has done. */
export interface SqlOutcome {
  /** Rows found, whether or not they changed. */
  readonly affectedRows: number;
  /** The first AUTO_INCREMENT value made, else 0. */
  readonly insertId: number;
}

type Runner = Pick<PoolConnection, 'execute' | 'query'>;

/** Statements on one connection, or each on any. */
export interface SqlRunner {
  /** Rows of a SELECT; column names as the statement gives them. */
  query<T extends object>(text: string, values?: readonly SqlValue[]): Promise<T[]>;
  /** A statement that writes. */
  run(text: string, values?: readonly SqlValue[]): Promise<SqlOutcome>;
  /**
   * Like {@link run}, for statements whose text has a length of its own for each number of rows: nothing is kept of them. A
   * prepared statement is kept by each connection, with a description of every value.
   */
  runOnce(text: string, values?: readonly SqlValue[]): Promise<SqlOutcome>;
}

/** Plain SQL as prepared statements, straight on the pool of the service's TypeORM DataSource. */
export class Sql implements SqlRunner {
  constructor(private readonly source: DataSource) {}

  query<T extends object>(text: string, values?: readonly SqlValue[]): Promise<T[]> {
    return rows<T>(this.pool, text, values);
  }

  run(text: string, values?: readonly SqlValue[]): Promise<SqlOutcome> {
    return outcome(this.pool, text, values);
  }

  runOnce(text: string, values?: readonly SqlValue[]): Promise<SqlOutcome> {
    return outcomeOnce(this.pool, text, values);
  }

  /** Like {@link query}, for statements whose text is hardly ever the same: nothing is kept of them. */
  queryOnce<T extends object>(text: string, values?: readonly SqlValue[]): Promise<T[]> {
    return once(this.pool, text, values) as Promise<T[]>;
  }

  /** Runs `work` in one transaction on one connection; committed when it resolves, rolled back when it rejects. */
  async transaction<T>(work: (sql: SqlRunner) => Promise<T>): Promise<T> {
    const connection = await new Promise<PoolConnection>((resolve, reject) => {
      this.pool.getConnection((error, given) => (error ? reject(error) : resolve(given)));
    });
    let usable = false;
    try {
      await statement(connection, 'BEGIN');
      const result = await work({
        query: (text, values) => rows(connection, text, values),
        run: (text, values) => outcome(connection, text, values),
        runOnce: (text, values) => outcomeOnce(connection, text, values),
      });
      await statement(connection, 'COMMIT');
      usable = true;
      return result;
    } catch (error) {
      usable = await statement(connection, 'ROLLBACK').then(
        () => true,
        () => false,
      );
      throw error;
    } finally {
      // A connection whose transaction may still be open must not serve anyone else.
      if (usable) connection.release();
      else connection.destroy();
    }
  }

  private get pool(): Pool {
    return poolOf(this.source);
  }
}

function rows<T>(runner: Runner, text: string, values: readonly SqlValue[] = []): Promise<T[]> {
  return execute(runner, text, values) as Promise<T[]>;
}

async function outcome(runner: Runner, text: string, values: readonly SqlValue[] = []): Promise<SqlOutcome> {
  const { affectedRows, insertId } = (await execute(runner, text, values)) as ResultSetHeader;
  return { affectedRows, insertId };
}

async function outcomeOnce(runner: Runner, text: string, values?: readonly SqlValue[]): Promise<SqlOutcome> {
  const { affectedRows, insertId } = (await once(runner, text, values)) as ResultSetHeader;
  return { affectedRows, insertId };
}

function once(runner: Runner, text: string, values: readonly SqlValue[] = []): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    runner.query(text, [...values], (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function execute(runner: Runner, text: string, values: readonly SqlValue[]): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    runner.execute(text, [...values], (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function statement(connection: PoolConnection, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query(text, (error) => (error ? reject(error) : resolve()));
  });
}
