import type { Say } from '../base/say.ts';
import { waitUntilNone } from '../base/wait.ts';
import type { Database } from './database.ts';
import type { SameOrder } from './order-ids.ts';
import type { Schemas } from './schemas.ts';

/** The database's clock: UTC, as the tables hold it. */
export async function databaseTime(database: Database): Promise<string> {
  const [row] = await database.rows<{ now: string }>('SELECT CAST(UTC_TIMESTAMP(3) AS CHAR) AS now');
  if (!row) throw new Error('the database does not tell the time');
  return row.now;
}

/** How the audit waits for what is under way. */
export interface Patience {
  /** For how long nothing may come to its end, seconds. */
  seconds: number;
  /** Told from time to time what is waited for. */
  say?: Say;
}

const COUNT_EVERY_MS = 200;
const SAY_EVERY_MS = 5_000;

/** Counts until nothing is left, as long as it becomes less; tells of it when that takes long. */
export function settled(what: string, { seconds, say }: Patience, count: () => Promise<number>): Promise<number> {
  let next = Date.now() + SAY_EVERY_MS;
  const onCount = (left: number) => {
    if (left === 0 || Date.now() < next) return;
    say?.(`waiting for ${left} ${what}`);
    next = Date.now() + SAY_EVERY_MS;
  };
  return waitUntilNone(count, { patienceMs: seconds * 1000, everyMs: COUNT_EVERY_MS, onCount });
}

/**
 * Waits until every order accepted up to `since` is finished, as long as they go on finishing; orders that come later are not
 * waited for, so that it ends while others go on ordering. Returns how many are unfinished still.
 */
export function settle(
  database: Database,
  schemas: Schemas,
  same: SameOrder,
  since: string,
  patience: Patience,
): Promise<number> {
  const sql = `SELECT
      (SELECT COUNT(*) FROM ${schemas.order}.order_submission WHERE state IN (0, 3) AND created_at <= ?)
      + (SELECT COUNT(*) FROM ${schemas.dtm}.trans_global t
         JOIN ${schemas.order}.order_submission s ON ${same('submission', 's.order_id', 't.gid')}
         WHERE t.status IN ('prepared', 'submitted', 'aborting') AND s.state NOT IN (0, 3) AND s.created_at <= ?) AS unfinished`;
  return settled('orders to finish', patience, async () => {
    const [row] = await database.rows<{ unfinished: number }>(sql, [since, since]);
    return Number(row?.unfinished ?? 0);
  });
}
