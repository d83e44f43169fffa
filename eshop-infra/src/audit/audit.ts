import { Database } from './database.ts';
import { difference, type ProductBook, stockBooks } from './invariants/i1-stock-books.ts';
import { type FinalOptions, finality } from './invariants/i3-final.ts';
import { doublePayment, payment } from './invariants/i4-payment.ts';
import { couponOfOrder, type HeldCoupon, holderOfCoupon } from './invariants/i5-coupons.ts';
import { known } from './invariants/i7-known.ts';
import { barriers, stockBarriers } from './invariants/i8-barriers.ts';
import { type CouponRow, isUnfinished, type OrderFacts, termsOf, unitsHeld } from './order-facts.ts';
import { type SameOrder, sameOrder } from './order-ids.ts';
import { acceptedOrders, ordersById } from './read-orders.ts';
import { defaultSchemas, type Schemas } from './schemas.ts';
import { databaseTime, settle } from './settle.ts';
import { strangers } from './strangers.ts';
import type { InvariantName, Violation } from './violation.ts';

export interface AuditOptions {
  schemas?: Schemas;
  /**
   * Seconds to wait for running orders; those that run even then break I3. 0, the default, waits for none and leaves
   * them unjudged.
   */
  settleSeconds?: number;
  /** How many violations of one invariant are kept; all are counted. Default 1000. */
  keep?: number;
}

export interface OrderCounts {
  placed: number;
  cancelled: number;
  /** Accepted, and neither yet. */
  unfinished: number;
}

export interface AuditReport {
  /** Of the snapshot, by the database's clock, UTC. */
  at: string;
  holds: boolean;
  orders: OrderCounts;
  books: ProductBook[];
  /** How often each invariant is broken; those that hold are absent. */
  broken: Partial<Record<InvariantName, number>>;
  violations: Violation[];
  tookMs: number;
}

/** What I3, I4, I5, I7 and I8 say about one order. */
export function judgeOrder(facts: OrderFacts, options: FinalOptions = {}): Violation[] {
  return [finality(facts, options), payment(facts), couponOfOrder(facts), known(facts), barriers(facts)].flat();
}

/**
 * Checks the books of all databases at one instant, while orders may go on.
 * @param url of the database server, with an account that may read all schemas
 */
export async function audit(url: string, options: AuditOptions = {}): Promise<AuditReport> {
  const { schemas = defaultSchemas, settleSeconds = 0, keep = 1000 } = options;
  const database = await Database.open(url);
  try {
    const same = await sameOrder(database, schemas);
    let dueBefore: string | undefined;
    if (settleSeconds > 0) {
      dueBefore = await databaseTime(database);
      await settle(database, schemas, same, dueBefore, settleSeconds);
    }
    return await database.snapshot(() => new Auditor(database, schemas, same, keep).run({ dueBefore }));
  } finally {
    await database.close();
  }
}

class Auditor {
  readonly #database: Database;
  readonly #schemas: Schemas;
  readonly #same: SameOrder;
  readonly #keep: number;
  readonly #orders: OrderCounts = { placed: 0, cancelled: 0, unfinished: 0 };
  readonly #books = new Map<number, ProductBook>();
  /** Orders with several payment rows, and whether they have been taken. */
  readonly #doubled = new Map<string, boolean>();
  readonly #broken: Partial<Record<InvariantName, number>> = {};
  readonly #violations: Violation[] = [];

  constructor(database: Database, schemas: Schemas, same: SameOrder, keep: number) {
    this.#database = database;
    this.#schemas = schemas;
    this.#same = same;
    this.#keep = keep;
  }

  async run(options: FinalOptions): Promise<AuditReport> {
    const began = performance.now();
    const at = await databaseTime(this.#database);
    await this.#readStock();
    await this.#judgePayments();
    for await (const facts of acceptedOrders(this.#database, this.#schemas, this.#same)) this.#take(facts, options);
    const unknown = await strangers(this.#database, this.#schemas, this.#same);
    for await (const facts of this.#ordersById(unknown)) this.#take(facts, options);
    await this.#judgeCoupons();
    const books = [...this.#books.values()].sort((a, b) => a.productID - b.productID);
    for (const book of books) this.#add([...stockBooks(book), ...stockBarriers(book)]);
    return {
      at,
      holds: Object.keys(this.#broken).length === 0,
      orders: this.#orders,
      books: books.sort((a, b) => Math.abs(difference(b)) - Math.abs(difference(a)) || b.inOrders - a.inOrders),
      broken: this.#broken,
      violations: this.#violations,
      tookMs: Math.round(performance.now() - began),
    };
  }

  #ordersById(ids: readonly string[]): AsyncGenerator<OrderFacts> {
    return ordersById(this.#database, this.#schemas, this.#same, ids);
  }

  #take(facts: OrderFacts, options: FinalOptions): void {
    if (this.#doubled.get(facts.orderID)) return;
    if (this.#doubled.has(facts.orderID)) this.#doubled.set(facts.orderID, true);
    if (facts.submission) this.#orders[stateOf(facts.submission.state, isUnfinished(facts))]++;
    const terms = termsOf(facts);
    if (terms) {
      const book = this.#book(terms.productID);
      book.inOrders += unitsHeld(facts);
      if (facts.branches.stock === 'done') book.byBarriers += terms.count;
    }
    this.#add(judgeOrder(facts, options));
  }

  async #readStock(): Promise<void> {
    const sql = `SELECT product_id AS productID, initial, stock FROM ${this.#schemas.stock}.stock`;
    for (const { productID, initial, stock } of await this.#database.rows<ProductBook>(sql)) {
      Object.assign(this.#book(productID), { initial, stock });
    }
  }

  #book(productID: number): ProductBook {
    let book = this.#books.get(productID);
    if (!book) {
      book = { productID, initial: null, stock: null, inOrders: 0, byBarriers: 0 };
      this.#books.set(productID, book);
    }
    return book;
  }

  async #judgePayments(): Promise<void> {
    const sql = `SELECT order_id AS id, COUNT(*) AS rowCount FROM ${this.#schemas.pay}.pay
      GROUP BY order_id HAVING COUNT(*) > 1`;
    for (const { id, rowCount } of await this.#database.rows<{ id: string; rowCount: number }>(sql)) {
      this.#doubled.set(id, false);
      this.#add([doublePayment(id, rowCount)]);
    }
  }

  async #judgeCoupons(): Promise<void> {
    const sql = `SELECT id, user_id AS userID, amount, status, order_id AS orderID FROM ${this.#schemas.coupon}.coupon
      WHERE (status = 2 OR order_id <> '') AND id > ? ORDER BY id LIMIT 5000`;
    for (let after = 0; ; ) {
      const coupons = await this.#database.rows<CouponRow>(sql, [after]);
      const last = coupons.at(-1);
      if (!last) return;
      after = last.id;
      const holders = new Map<string, OrderFacts>();
      const ids = new Set(coupons.flatMap(({ orderID }) => orderID || []));
      for await (const facts of this.#ordersById([...ids])) holders.set(facts.orderID, facts);
      for (const coupon of coupons) this.#add(holderOfCoupon(held(coupon, holders.get(coupon.orderID))));
    }
  }

  #add(violations: readonly Violation[]): void {
    for (const violation of violations) {
      const count = (this.#broken[violation.invariant] ?? 0) + 1;
      this.#broken[violation.invariant] = count;
      if (count <= this.#keep) this.#violations.push(violation);
    }
  }
}

function stateOf(state: 'pending' | 'placed' | 'cancelled', unfinished: boolean): keyof OrderCounts {
  return unfinished || state === 'pending' ? 'unfinished' : state;
}

/** An order that neither was accepted nor has a row does not hold anything. */
function held(coupon: CouponRow, holder: OrderFacts | undefined): HeldCoupon {
  return { coupon, holder: holder?.submission || holder?.order ? holder : undefined };
}
