import type { Database } from '../database.ts';
import type { Schemas } from '../schemas.ts';
import { type Patience, settled } from '../settle.ts';
import { allotments, changingSales } from './read-sales.ts';
import { madeBefore } from './sale-book.ts';
import type { SaleCounters } from './sale-counter.ts';

/**
 * Waits until every unit that was reserved up to `since` belongs to an order that is placed, and no change of a sale is under
 * way, as long as they become fewer. Returns how many are left.
 */
export function settleSales(
  database: Database,
  schemas: Schemas,
  counters: SaleCounters,
  since: string,
  patience: Patience,
): Promise<number> {
  return settled(
    'units of flash sales to become orders',
    patience,
    async () => (await changingSales(database, schemas)).size + (await unplaced(database, schemas, counters, since)),
  );
}

const CHUNK = 1000;

async function unplaced(database: Database, schemas: Schemas, counters: SaleCounters, since: string): Promise<number> {
  let count = 0;
  for (const { productID } of await allotments(database, schemas)) {
    const counter = await counters.of(productID);
    const ids = [...(counter?.units.keys() ?? [])].filter((orderID) => madeBefore(orderID, since));
    for (let from = 0; from < ids.length; from += CHUNK) {
      const chunk = ids.slice(from, from + CHUNK);
      const sql = `SELECT COUNT(*) AS n FROM ${schemas.order}.order_submission WHERE state = 1 AND order_id IN (?)`;
      const [row] = await database.rows<{ n: number }>(sql, [chunk]);
      count += chunk.length - (row?.n ?? 0);
    }
  }
  return count;
}
