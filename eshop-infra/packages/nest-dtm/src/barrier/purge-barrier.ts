import type { RowDataPacket } from 'mysql2';
import type { DataSource } from 'typeorm';
import { DtmGidTaken, DtmInvalidOption } from '../errors.js';
import type { Transaction } from '../server/transaction.js';
import { quoteTable } from './barrier-table.js';

/** What the purge needs of `DtmService`. */
export interface TransactionSource {
  /** What a server has stored under `gid`; `null` when it does not know it. */
  query(gid: string, options?: { server?: string }): Promise<Transaction | null>;
}

/** Settings of a purge. */
export interface PurgeOptions {
  /** Barrier table. Default `barrier`. */
  table?: string;
  /**
   * Names of **all** DTM servers that call this service's branches. Default `['default']`. A transaction is over when every
   * one of them says so, or does not know it.
   */
  servers?: readonly string[];
  /** Only rows older than this, seconds. Default 8 days, at least one day. */
  olderThanSeconds?: number;
  /** Rows looked at and removed at a time. Default 500. */
  batchSize?: number;
  /** Ends the purge between two batches. */
  signal?: AbortSignal;
}

/** What a purge did. */
export interface PurgeResult {
  /** Rows removed. */
  removed: number;
  /** Rows left because their transaction is not over. */
  kept: number;
}

const DAY = 86_400;
const QUERIES_AT_ONCE = 8;

interface OldRow extends RowDataPacket {
  id: string | number;
  gid: string;
}

/**
 * Removes old barrier rows of transactions that are over. Each transaction is looked up in DTM before its rows go, so that none
 * is removed that a repeat or a compensation could still need. May run beside the service, and beside another purge.
 *
 * @throws {DtmUnavailable} a server did not answer; what was removed until then stays removed
 * @throws {DtmInvalidOption}
 */
export async function purgeBarrier(
  dataSource: DataSource,
  dtm: TransactionSource,
  { table = 'barrier', servers = ['default'], olderThanSeconds = 8 * DAY, batchSize = 500, signal }: PurgeOptions = {},
): Promise<PurgeResult> {
  if (servers.length === 0) throw new DtmInvalidOption('servers', 'name the DTM servers that call this service');
  if (!(Number.isInteger(olderThanSeconds) && olderThanSeconds >= DAY))
    throw new DtmInvalidOption('olderThanSeconds', `must be a whole number of at least ${DAY}`);
  if (!(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= 10_000))
    throw new DtmInvalidOption('batchSize', 'must be a whole number from 1 to 10000');
  const name = quoteTable(table);
  const result: PurgeResult = { removed: 0, kept: 0 };
  let last: string | number = 0;
  while (!signal?.aborted) {
    const rows: OldRow[] = await dataSource.query(
      `SELECT id, gid FROM ${name} WHERE id > ? AND create_time < NOW(3) - INTERVAL ? SECOND ORDER BY id LIMIT ?`,
      [last, olderThanSeconds, batchSize],
    );
    if (rows.length === 0) break;
    last = rows.at(-1)?.id ?? last;
    const open = await openOf([...new Set(rows.map(({ gid }) => gid))], dtm, servers);
    const over = [...new Set(rows.map(({ gid }) => gid))].filter((gid) => !open.has(gid));
    // All rows of a transaction at once: an action without the row of its compensation would count as in effect, or run again.
    if (over.length > 0) {
      const { affectedRows } = await dataSource.query(`DELETE FROM ${name} WHERE gid IN (?)`, [over]);
      result.removed += affectedRows;
    }
    result.kept += rows.filter(({ gid }) => open.has(gid)).length;
  }
  return result;
}

/** A server that takes the gid for another one's does not know it. */
function asUnknown(error: unknown): null {
  if (error instanceof DtmGidTaken) return null;
  throw error;
}

/** Those of the gids that a server still works on. */
async function openOf(gids: string[], dtm: TransactionSource, servers: readonly string[]): Promise<Set<string>> {
  const open = new Set<string>();
  const left = gids.values();
  const worker = async (): Promise<void> => {
    for (const gid of left) {
      for (const server of servers) {
        const transaction = await dtm.query(gid, { server }).catch(asUnknown);
        if (transaction && transaction.status !== 'succeed' && transaction.status !== 'failed') open.add(gid);
      }
    }
  };
  await Promise.all(Array.from({ length: QUERIES_AT_ONCE }, worker));
  return open;
}
