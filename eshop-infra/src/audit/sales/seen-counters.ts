import type { Database } from '../database.ts';
import type { Schemas } from '../schemas.ts';
import { allotments } from './read-sales.ts';
import { type SaleCounter, type SaleCounters, sameCounter } from './sale-counter.ts';

/** The counters of running sales as they were at the instant of a snapshot. */
export interface SeenCounters {
  /** By product; a sale whose counter is lost is absent. */
  counters: ReadonlyMap<number, SaleCounter | undefined>;
  /** Products whose counter was changed while the snapshot was begun. */
  moving: ReadonlySet<number>;
}

/** A snapshot is begun within a millisecond, so that a sale must be very busy to change during each of these. */
const ATTEMPTS = 50;

/**
 * Runs `read` on one instant of all databases and of the counters in Redis: they are read before and after the snapshot is
 * begun, and it is begun anew while one has changed in between.
 */
export async function snapshotWithCounters<T>(
  database: Database,
  schemas: Schemas,
  counters: SaleCounters | undefined,
  read: (seen: SeenCounters | undefined) => Promise<T>,
): Promise<T> {
  if (!counters) return database.snapshot(() => read(undefined));
  for (let attempt = 1; ; attempt++) {
    const products = (await allotments(database, schemas)).map(({ productID }) => productID);
    const before = await counters.all(products);
    const result = await database.snapshot(async () => {
      const after = await counters.all(products);
      const moving = products.filter((productID) => !sameCounter(before.get(productID), after.get(productID)));
      if (moving.length > 0 && attempt < ATTEMPTS) return undefined;
      return { value: await read({ counters: after, moving: new Set(moving) }) };
    });
    if (result) return result.value;
  }
}
