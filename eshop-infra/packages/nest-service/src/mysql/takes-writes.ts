import { suspectConnections } from '@eshop/nest-dtm/mysql-pool';
import type { PoolConnection } from 'mysql2';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { DataSource } from 'typeorm';
import { poolOf } from './pool.js';

/** MySQL's and MariaDB's variables that keep an application from writing; each has some of them. */
const OPTIONS = [
  ...['read_only', 'super_read_only', 'innodb_read_only', 'offline_mode'],
  ...['transaction_read_only', 'tx_read_only'],
];
const READ_ONLY_BY = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${OPTIONS.map((name) => `'${name}'`).join(', ')})`;

/** The server takes no writes, as a replica does. */
export class ReadOnlyServer extends Error {
  override readonly name = 'ReadOnlyServer';
  readonly code = 'READ_ONLY';

  constructor(option: string) {
    super(`the database server takes no writes: ${option} is on`);
  }
}

/** @throws ReadOnlyServer */
export async function assertTakesWrites(connection: Connection): Promise<void> {
  const [rows] = await connection.query<(RowDataPacket & { Variable_name: string; Value: string })[]>(READ_ONLY_BY);
  const on = rows.find(({ Value }) => Value !== 'OFF' && Value !== '0');
  if (on) throw new ReadOnlyServer(on.Variable_name);
}

/**
 * Whether the server under the pool's name takes writes. A connection that shows one that does not is thrown away, and all of its age
 * with it; then a new one is asked, as the name may stand for another server by now.
 *
 * @throws ReadOnlyServer
 */
export async function assertPoolTakesWrites(source: DataSource): Promise<void> {
  await ask(source).catch((error: unknown) => {
    if (!(error instanceof ReadOnlyServer)) throw error;
    return ask(source);
  });
}

async function ask(source: DataSource): Promise<void> {
  const pool = poolOf(source);
  const connection = await new Promise<PoolConnection>((resolve, reject) => {
    pool.getConnection((error, given) => (error ? reject(error) : resolve(given)));
  });
  try {
    await assertTakesWrites(connection.promise());
    connection.release();
  } catch (error) {
    if (error instanceof ReadOnlyServer) suspectConnections(pool);
    connection.destroy();
    throw error;
  }
}
