import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from './database.ts';
import type { SameOrder } from './order-ids.ts';
import type { Schemas } from './schemas.ts';

/** The database's clock: UTC, as the tables hold it. */
export async function databaseTime(database: Database): Promise<string> {
  const [row] = await database.rows<{ now: string }>('SELECT CAST(UTC_TIMESTAMP(3) AS CHAR) AS now');
  if (!row) throw new Error('the database does not tell the time');
  return row.now;
}

/**
 * Waits until every order accepted up to `since` is finished, for `seconds` at most; orders that come later are not waited
 * for, so that it ends while others go on ordering. Returns how many are unfinished still.
 */
export async function settle(
  database: Database,
  schemas: Schemas,
  same: SameOrder,
  since: string,
  seconds: number,
): Promise<number> {
  const deadline = performance.now() + seconds * 1000;
  const sql = `SELECT
      (SELECT COUNT(*) FROM ${schemas.order}.order_submission WHERE state IN (0, 3) AND created_at <= ?)
      + (SELECT COUNT(*) FROM ${schemas.dtm}.trans_global t
         JOIN ${schemas.order}.order_submission s ON ${same('submission', 's.order_id', 't.gid')}
         WHERE t.status IN ('prepared', 'submitted', 'aborting') AND s.state NOT IN (0, 3) AND s.created_at <= ?) AS unfinished`;
  for (;;) {
    const [row] = await database.rows<{ unfinished: number }>(sql, [since, since]);
    const unfinished = Number(row?.unfinished ?? 0);
    if (unfinished === 0 || performance.now() >= deadline) return unfinished;
    await pause(200);
  }
}
