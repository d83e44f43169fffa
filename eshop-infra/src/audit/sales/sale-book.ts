import type { Submission } from '../order-facts.ts';
import type { SaleCounter } from './sale-counter.ts';

/** A sale in the stock service's books. */
export interface SaleRow {
  saleID: number;
  productID: number;
  /** Allotted over the sale's whole life, less those taken back. */
  units: number;
  /** 0 = no limit. */
  limitPerUser: number;
  /** Number of the last change. */
  version: number;
  /** Whether it is the product's running one. */
  running: boolean;
  /** Of the last change; UTC, `YYYY-MM-DD hh:mm:ss.sss`. */
  updatedAt: string;
}

/** What the databases say of one order of a sale. */
export interface SaleOrder {
  userID: number;
  state: Submission['state'];
  /** Whether anything about it can still change. */
  unfinished: boolean;
  /** Whether its unit is gone from stock. */
  deducted: boolean;
}

/** One flash sale, from all sides, at one instant. */
export interface SaleBook {
  sale: SaleRow;
  /** Units of the product's stock that belong to the sale; of a running one only. */
  allotted: number;
  /**
   * The counter in Redis. Absent: Redis was not asked, or has lost it (`state` tells), or it belongs to another sale.
   */
  counter?: SaleCounter;
  /**
   * - `counted`: the counter is there, and is of the same instant as the books
   * - `changing`: a change of the sale is on its way from the books to the counter
   * - `moving`: the counter changed while it was read, each time; it is not judged
   * - `lost`: Redis holds no counter, so that nobody can buy, until it is rebuilt
   * - `ended`: it does not run any more, and has no counter of its own
   * - `unread`: Redis was not asked
   */
  state: 'counted' | 'changing' | 'moving' | 'lost' | 'ended' | 'unread';
  orders: ReadonlyMap<string, SaleOrder>;
}

/** Orders of the sale that are placed. */
export function placedOrders({ orders }: SaleBook): [string, SaleOrder][] {
  return [...orders].filter(([, { state, unfinished }]) => state === 'placed' && !unfinished);
}

/** Orders that have a unit of the sale and their buyers: those that hold one at the counter, and those that are placed. */
export function buyers(book: SaleBook): Map<string, number> {
  const found = new Map(book.counter?.units);
  for (const [orderID, { userID }] of placedOrders(book)) found.set(orderID, userID);
  return found;
}

/** Whether an order id was made up to a moment (UTC, as in the database): an id begins with its time. */
export function madeBefore(orderID: string, moment: string): boolean {
  const digits = moment.replace(/\D/g, '').slice(0, 17);
  return orderID.slice(0, digits.length) <= digits;
}
