import type { Say } from '../base/say.ts';
import { deadLetterTopic } from '../kafka/topics.ts';
import { Database } from './database.ts';
import { difference, type ProductBook, stockBooks } from './invariants/i1-stock-books.ts';
import { flashSale } from './invariants/i2-flash-sale.ts';
import { type FinalOptions, finality } from './invariants/i3-final.ts';
import { doublePayment, payment } from './invariants/i4-payment.ts';
import { couponOfOrder, type HeldCoupon, holderOfCoupon } from './invariants/i5-coupons.ts';
import { limitPerUser } from './invariants/i6-limit.ts';
import { known } from './invariants/i7-known.ts';
import { barriers, stockBarriers } from './invariants/i8-barriers.ts';
import { recordLeadsSomewhere, unreadableLetters } from './invariants/i9-records.ts';
import { type CouponRow, isUnfinished, type OrderFacts, type Submission, termsOf, unitsHeld } from './order-facts.ts';
import { type SameOrder, sameOrder } from './order-ids.ts';
import { type CommittedRecords, committedRecords, type QueueRecord } from './queue/order-queue.ts';
import { acceptedOrders, ordersById } from './read-orders.ts';
import { allotments, changingSales, sales } from './sales/read-sales.ts';
import { buyers, type SaleBook, type SaleOrder, type SaleRow } from './sales/sale-book.ts';
import { SaleCounters } from './sales/sale-counter.ts';
import { type SeenCounters, snapshotWithCounters } from './sales/seen-counters.ts';
import { settleSales } from './sales/settle-sales.ts';
import { defaultSchemas, type Schemas } from './schemas.ts';
import { databaseTime, settle } from './settle.ts';
import type { Sources } from './sources.ts';
import { strangers } from './strangers.ts';
import type { InvariantName, Violation } from './violation.ts';

/** Redis absent: I2 and I6 are judged by the databases alone. Kafka absent: I9 is not judged. */
export interface AuditOptions extends Partial<Sources> {
  /**
   * Running orders are waited for as long as they go on finishing, so many seconds for the next one at most; those that run even
   * then break I3. 0, the default, waits for none and leaves them unjudged.
   */
  settleSeconds?: number;
  /** Told what a long wait is for. */
  say?: Say;
  /** How many violations of one invariant are kept; all are counted. Default 1000. */
  keep?: number;
}

export interface OrderCounts {
  placed: number;
  cancelled: number;
  /** Accepted, and neither yet. */
  unfinished: number;
}

/** A running flash sale. */
export interface SaleFigures extends Pick<SaleRow, 'saleID' | 'productID' | 'units'> {
  state: SaleBook['state'];
  /** At the counter; null = it is not known. */
  left: number | null;
  /** Units of orders that hold one or have got one. */
  reserved: number;
  /** Units of stock that belong to it. */
  allotted: number;
}

export interface AuditReport {
  /** Of the snapshot, by the database's clock, UTC. */
  at: string;
  holds: boolean;
  orders: OrderCounts;
  books: ProductBook[];
  sales: SaleFigures[];
  /**
   * Records of the queue that have been read, those of them that are dead letters, and the batches that nobody can read, each of which
   * counts as one; null = Kafka was not asked.
   */
  records: { read: number; dead: number; unreadable: number } | null;
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
 * Checks the books of all databases, and of the sales' counters, at one instant, while orders may go on.
 * @param url of the database server, with an account that may read all schemas
 */
export async function audit(url: string, options: AuditOptions = {}): Promise<AuditReport> {
  const { schemas = defaultSchemas, settleSeconds = 0, keep = 1000, say } = options;
  const database = await Database.open(url);
  let counters: SaleCounters | undefined;
  try {
    counters = options.counters && (await SaleCounters.open(options.counters));
    const same = await sameOrder(database, schemas);
    let dueBefore: string | undefined;
    if (settleSeconds > 0) {
      dueBefore = await databaseTime(database);
      const patience = { seconds: settleSeconds, say };
      await settle(database, schemas, same, dueBefore, patience);
      if (counters) await settleSales(database, schemas, counters, dueBefore, patience);
    }
    const queue = options.queue && { ...(await committedRecords(options.queue)), topic: options.queue.topic };
    return await snapshotWithCounters(database, schemas, counters, (seen) =>
      new Auditor(database, schemas, same, keep).run({ dueBefore, seen, queue }),
    );
  } finally {
    counters?.close();
    await database.close();
  }
}

/** What is known from elsewhere than the databases. */
interface Outside extends FinalOptions {
  seen: SeenCounters | undefined;
  queue: (CommittedRecords & { topic: string }) | undefined;
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
  /** The orders of each sale. */
  readonly #saleOrders = new Map<number, Map<string, SaleOrder>>();
  readonly #broken: Partial<Record<InvariantName, number>> = {};
  readonly #violations: Violation[] = [];

  constructor(database: Database, schemas: Schemas, same: SameOrder, keep: number) {
    this.#database = database;
    this.#schemas = schemas;
    this.#same = same;
    this.#keep = keep;
  }

  async run(outside: Outside): Promise<AuditReport> {
    const { seen, queue, ...options } = outside;
    const began = performance.now();
    const at = await databaseTime(this.#database);
    await this.#readStock();
    await this.#judgePayments();
    for await (const facts of acceptedOrders(this.#database, this.#schemas, this.#same)) this.#take(facts, options);
    const unknown = await strangers(this.#database, this.#schemas, this.#same);
    for await (const facts of this.#ordersById(unknown)) this.#take(facts, options);
    await this.#judgeCoupons();
    const saleFigures = await this.#judgeSales(seen, options);
    await this.#judgeRecords(queue?.records ?? []);
    if (queue) {
      const topic = deadLetterTopic(queue.topic);
      this.#add(queue.unreadableLetters.map((letters) => unreadableLetters(topic, letters)));
    }
    const books = [...this.#books.values()].sort((a, b) => a.productID - b.productID);
    for (const book of books) this.#add([...stockBooks(book), ...stockBarriers(book)]);
    return {
      at,
      holds: Object.keys(this.#broken).length === 0,
      orders: this.#orders,
      books: books.sort((a, b) => Math.abs(difference(b)) - Math.abs(difference(a)) || b.inOrders - a.inOrders),
      sales: saleFigures,
      records: queue ? countsOf(queue.records) : null,
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
    if (facts.submission && facts.submission.saleID > 0) this.#takeSaleOrder(facts, facts.submission);
    if (terms) {
      const book = this.#book(terms.productID);
      book.inOrders += unitsHeld(facts);
      if (facts.branches.stock === 'done') book.byBarriers += terms.count;
    }
    this.#add(judgeOrder(facts, options));
  }

  #takeSaleOrder(facts: OrderFacts, { saleID, userID, state }: Submission): void {
    let orders = this.#saleOrders.get(saleID);
    if (!orders) {
      orders = new Map();
      this.#saleOrders.set(saleID, orders);
    }
    const [unfinished, deducted] = [isUnfinished(facts), facts.branches.stock === 'done'];
    orders.set(facts.orderID, { userID, state, unfinished, deducted });
  }

  async #readStock(): Promise<void> {
    const sql = `SELECT product_id AS productID, initial, stock, allotted FROM ${this.#schemas.stock}.stock`;
    for (const { productID, initial, stock, allotted } of await this.#database.rows<ProductBook>(sql)) {
      Object.assign(this.#book(productID), { initial, stock, allotted });
    }
  }

  #book(productID: number): ProductBook {
    let book = this.#books.get(productID);
    if (!book) {
      book = { productID, initial: null, stock: null, allotted: 0, inOrders: 0, byBarriers: 0 };
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

  async #judgeSales(seen: SeenCounters | undefined, options: FinalOptions): Promise<SaleFigures[]> {
    const running = new Map((await allotments(this.#database, this.#schemas)).map((one) => [one.saleID, one]));
    const changing = await changingSales(this.#database, this.#schemas);
    const figures: SaleFigures[] = [];
    for (const sale of await sales(this.#database, this.#schemas)) {
      const orders = this.#saleOrders.get(sale.saleID) ?? new Map<string, SaleOrder>();
      const allotted = running.get(sale.saleID)?.allotted ?? 0;
      if (sale.running !== running.delete(sale.saleID)) {
        this.#add([
          saleViolation(sale, sale.running ? 'runs, but no stock belongs to it' : 'has ended, but stock is its'),
        ]);
      }
      const book: SaleBook = { sale, allotted, orders, ...counterOf(sale, seen, changing) };
      this.#add([...flashSale(book, options), ...limitPerUser(book)]);
      if (sale.running) figures.push(figuresOf(book));
    }
    for (const { saleID, productID } of running.values()) {
      this.#add([saleViolation({ saleID, productID }, 'has stock, but no record')]);
    }
    return figures.sort((a, b) => a.productID - b.productID);
  }

  async #judgeRecords(records: readonly QueueRecord[]): Promise<void> {
    const ids = [...new Set(records.flatMap(({ orderID, dead }) => (dead || orderID === undefined ? [] : orderID)))];
    const states = new Map<string, string>();
    for await (const { orderID, submission } of this.#ordersById(ids)) {
      if (submission) states.set(orderID, submission.state);
    }
    for (const record of records) this.#add(recordLeadsSomewhere(record, states.get(record.orderID ?? '')));
  }

  #add(violations: readonly Violation[]): void {
    for (const violation of violations) {
      const count = (this.#broken[violation.invariant] ?? 0) + 1;
      this.#broken[violation.invariant] = count;
      if (count <= this.#keep) this.#violations.push(violation);
    }
  }
}

function countsOf(records: readonly QueueRecord[]): AuditReport['records'] {
  const count = (is: (record: QueueRecord) => boolean) => records.filter(is).length;
  return {
    read: records.length,
    dead: count(({ dead }) => dead),
    unreadable: count(({ unreadable }) => unreadable !== undefined),
  };
}

function stateOf(state: Submission['state'], unfinished: boolean): keyof OrderCounts {
  return unfinished || state === 'pending' || state === 'queued' ? 'unfinished' : state;
}

/** An order that neither was accepted nor has a row does not hold anything. */
function held(coupon: CouponRow, holder: OrderFacts | undefined): HeldCoupon {
  return { coupon, holder: holder?.submission || holder?.order ? holder : undefined };
}

function saleViolation({ saleID, productID }: Pick<SaleRow, 'saleID' | 'productID'>, message: string): Violation {
  return { invariant: 'I2', subject: `sale ${saleID} of product ${productID}`, message };
}

/** The sale's counter and how far it can be held against the books. */
function counterOf(
  sale: SaleRow,
  seen: SeenCounters | undefined,
  changing: ReadonlySet<number>,
): Pick<SaleBook, 'state' | 'counter'> {
  const { productID, saleID, version } = sale;
  if (!sale.running) return { state: 'ended' };
  if (!seen) return { state: 'unread' };
  const counter = seen.counters.get(productID);
  if (seen.moving.has(productID)) return { state: 'moving' };
  // its change has begun, and may have reached the counter or the books or both
  if (changing.has(productID) || (!seen.counters.has(productID) && counter === undefined)) return { state: 'changing' };
  if (!counter || counter.saleID !== saleID || counter.status === 'rebuilding') return { state: 'lost' };
  return { state: counter.version === version ? 'counted' : 'changing', counter };
}

function figuresOf(book: SaleBook): SaleFigures {
  const { sale, state, counter, allotted } = book;
  const { saleID, productID, units } = sale;
  return { saleID, productID, units, state, left: counter?.left ?? null, reserved: buyers(book).size, allotted };
}
