import type { Connection as CallbackConnection, ResultSetHeader, RowDataPacket } from 'mysql2';
import type { Connection as PromiseConnection } from 'mysql2/promise';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { SqlValue } from './mysql-transaction.js';

/** A transaction that somebody else begins and ends: TypeORM's manager or runner, or a mysql2 connection of either kind. */
export type OpenTransaction = EntityManager | QueryRunner | PromiseConnection | CallbackConnection;

/** Runs statements in a transaction of one of these kinds. */
export interface Statements {
  write(sql: string, values: readonly SqlValue[]): Promise<ResultSetHeader>;
  read(sql: string, values: readonly SqlValue[]): Promise<RowDataPacket[]>;
}

/** Throws when TypeORM says that no transaction is open; a mysql2 connection cannot tell. */
export function statementsOf(transaction: OpenTransaction): Statements {
  if ('promise' in transaction && typeof transaction.promise === 'function') return ofConnection(transaction.promise());
  if ('threadId' in transaction && 'execute' in transaction) return ofConnection(transaction as PromiseConnection);
  const runner = 'isTransactionActive' in transaction ? transaction : (transaction as EntityManager).queryRunner;
  if (!runner?.isTransactionActive)
    throw new Error('no transaction is open: the barrier row would be kept although the work came to nothing');
  return {
    write: (sql, values) => runner.query(sql, [...values]),
    read: (sql, values) => runner.query(sql, [...values]),
  };
}

function ofConnection(connection: PromiseConnection): Statements {
  return {
    write: async (sql, values) => (await connection.execute<ResultSetHeader>(sql, [...values]))[0],
    read: async (sql, values) => (await connection.execute<RowDataPacket[]>(sql, [...values]))[0],
  };
}
