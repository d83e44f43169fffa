import { Redis } from 'ioredis';

/** What Redis holds of one product's flash sale at one instant. */
export interface SaleCounter {
  saleID: number;
  /** Number of the last change that arrived there. */
  version: number;
  /** `running`, `ended` or `rebuilding`. */
  status: string;
  left: number;
  /** Orders that hold a unit, with their buyers. */
  units: ReadonlyMap<string, number>;
  /** Units that each buyer has. */
  users: ReadonlyMap<number, number>;
}

/** Where the flash sale service keeps its counters. */
export interface SaleCounterOptions {
  /** redis:// */
  url: string;
  /** The service's setting `flashSale.keyPrefix`; default `flash:`. */
  prefix?: string;
}

const statusNames: Record<string, string> = { 1: 'running', 2: 'ended', 3: 'rebuilding' };

/** Reads the counters of flash sales; changes nothing. */
export class SaleCounters {
  readonly #redis: Redis;
  readonly #prefix: string;

  private constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** @throws Error when Redis does not answer */
  static async open({ url, prefix = 'flash:' }: SaleCounterOptions): Promise<SaleCounters> {
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    let refusal: unknown;
    // each call reports its own error; without a listener the client would write it to the console, too
    redis.on('error', (error) => {
      refusal ??= error;
    });
    // connect() tells only that there is no connection, not why
    await redis.connect().catch((error: unknown) => {
      throw refusal ?? error;
    });
    return new SaleCounters(redis, prefix);
  }

  /** The counter of a product's sale; undefined when Redis holds none. */
  async of(productID: number): Promise<SaleCounter | undefined> {
    const key = (name: string) => `${this.#prefix}{${productID}}:${name}`;
    const answers = await this.#redis.multi().hgetall(key('sale')).hgetall(key('units')).hgetall(key('users')).exec();
    const [sale = {}, units = {}, users = {}] = (answers ?? []).map(([error, value]) => {
      if (error) throw error;
      return value as Record<string, string>;
    });
    if (sale.saleID === undefined) return undefined;
    return {
      saleID: Number(sale.saleID),
      version: Number(sale.version),
      status: statusNames[sale.status ?? ''] ?? `unknown (${sale.status})`,
      left: Number(sale.left),
      units: new Map(Object.entries(units).map(([orderID, userID]) => [orderID, Number(userID)])),
      users: new Map(Object.entries(users).map(([userID, count]) => [Number(userID), Number(count)])),
    };
  }

  async all(productIDs: Iterable<number>): Promise<Map<number, SaleCounter | undefined>> {
    const found = new Map<number, SaleCounter | undefined>();
    for (const productID of productIDs) found.set(productID, await this.of(productID));
    return found;
  }

  close(): void {
    this.#redis.disconnect();
  }
}

/** Whether nothing of a sale has changed between two readings. */
export function sameCounter(a: SaleCounter | undefined, b: SaleCounter | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.saleID === b.saleID &&
    a.version === b.version &&
    a.status === b.status &&
    a.left === b.left &&
    a.units.size === b.units.size &&
    [...a.units.keys()].every((orderID) => b.units.has(orderID))
  );
}
