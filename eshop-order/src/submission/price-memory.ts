import { LRUCache } from 'lru-cache';

const MOST = 10_000;
/** Lifetimes after which a price that nobody wanted is not worth renewing. */
const UNWANTED_AFTER = 12;

interface Known {
  readonly price: number;
  wantedAt: number;
}

/** Unit prices, each remembered for a time, and which of them are worth renewing before that time is over. */
export class PriceMemory {
  /** In the order in which they were learnt, as only `peek` reads them. */
  private readonly known: LRUCache<number, Known>;

  constructor(
    private readonly lifetimeMs: number,
    private readonly clock: { now(): number } = performance,
  ) {
    this.known = new LRUCache({ max: MOST, ttl: lifetimeMs, ttlResolution: 0, perf: clock });
  }

  /** The price in cents; undefined when it is not known, or not any more. */
  recall(productID: number): number | undefined {
    const known = this.known.peek(productID);
    if (!known) return undefined;
    known.wantedAt = this.clock.now();
    return known.price;
  }

  /** Remembers what was just learnt; undefined: there is no such product. A price that is only renewed stays as wanted as it was. */
  learn(productID: number, price: number | undefined): void {
    const wantedAt = this.known.peek(productID, { allowStale: true })?.wantedAt ?? this.clock.now();
    if (price === undefined) this.known.delete(productID);
    else this.known.set(productID, { price, wantedAt });
  }

  /** The products whose price is in the second half of its time and still wanted, the oldest first, at most `limit`. */
  dueSoon(limit: number): number[] {
    const due: number[] = [];
    const wantedSince = this.clock.now() - UNWANTED_AFTER * this.lifetimeMs;
    for (const productID of this.known.rkeys()) {
      if (due.length >= limit || this.known.getRemainingTTL(productID) > this.lifetimeMs / 2) break;
      const known = this.known.peek(productID);
      if (known && known.wantedAt >= wantedSince) due.push(productID);
    }
    return due;
  }
}
