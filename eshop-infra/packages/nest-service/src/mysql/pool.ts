import { discardUseless } from '@eshop/nest-dtm/mysql-pool';
import { ContractError } from '@eshop/proto';
import * as mysql2 from 'mysql2';
import type { DataSource } from 'typeorm';

type Acquired = (error: NodeJS.ErrnoException | null, connection: mysql2.PoolConnection) => void;

/**
 * A mysql2 pool whose waiting line is bounded in length and time. The line is first in, first out; who cannot be
 * served gets UNAVAILABLE. Sessions run in UTC. Connections to a server that takes no writes are not lent again, whichever way that was
 * found out.
 */
export function createBoundedPool(options: mysql2.PoolOptions, acquireTimeoutMs: number): mysql2.Pool {
  const pool = mysql2.createPool(options);
  discardUseless(pool);
  // Sent before anything else on the connection, without a wait: commands keep their order.
  pool.on('connection', (connection) => {
    connection.query("SET time_zone = '+00:00'", (error: Error | null) => {
      if (error) connection.destroy();
    });
  });
  const getConnection = pool.getConnection.bind(pool);
  pool.getConnection = (acquired: Acquired) => {
    let given = false;
    const timer = setTimeout(() => {
      given = true;
      acquired(busy('no connection became free in time'), undefined as never);
    }, acquireTimeoutMs);
    getConnection((error, connection) => {
      if (given) {
        // Too late for its asker; on to the next in line.
        connection?.release();
        return;
      }
      given = true;
      clearTimeout(timer);
      acquired(error && refusalOf(error), connection);
    });
  };
  return pool;
}

/** The pool of a DataSource that is connected. */
export function poolOf(source: DataSource): mysql2.Pool {
  return (source.driver as unknown as { pool: mysql2.Pool }).pool;
}

function refusalOf(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  if (error.message === 'Queue limit reached.') return busy('too many requests wait for a connection');
  return error.message === 'Pool is closed.' ? busy('shutting down') : error;
}

function busy(reason: string): NodeJS.ErrnoException {
  return new ContractError('UNAVAILABLE', 'the database is busy', { cause: new Error(reason) }) as Error;
}
