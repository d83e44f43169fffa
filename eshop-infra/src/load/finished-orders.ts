import { setTimeout as pause } from 'node:timers/promises';
import type { QueryError } from 'mysql2';
import { createPool, type Pool } from 'mysql2/promise';
import { waitFor, waitUntilNone } from '../base/wait.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

/** The orders of one run, from the books of the order service. */
export interface FinishedOrders {
  placed: number;
  cancelled: number;
  unfinished: number;
  /** Orders that were finished before the load ended. */
  duringLoad: number;
  /** From acceptance to the end, in ms. */
  latency: Percentiles;
  /** From the end of the load to the last finish, in seconds; 0 when all were finished by then. */
  tailSeconds: number;
}

/** The orders of one run. */
export interface AcceptedOrders {
  products: readonly number[];
  /** Entered since, by the database's clock. */
  since: string;
  /** How many ids were given out. */
  accepted: number;
}

/** The states of an accepted order, as the order service numbers them. */
const [PENDING, PLACED, CANCELLED, QUEUED] = [0, 1, 2, 3];

/** Between two looks at a long queue, milliseconds: the table is read through for each. */
const LOOK_EVERY_MS = 500;

/** How long a database that is being restarted is waited for, milliseconds. */
const OUTAGE_MS = 60_000;

/** Reads the order service's book of accepted orders, by a connection of its own; the database may be restarted meanwhile. */
export class OrderBook {
  readonly #pool: Pool;
  readonly #table: string;

  private constructor(pool: Pool, schema: string) {
    this.#pool = pool;
    this.#table = `${schema}.order_submission`;
  }

  /** @throws Error when the database does not answer or refuses the account */
  static async open(url: string, schema: string): Promise<OrderBook> {
    if (!/^\w+$/.test(schema)) throw new Error(`"${schema}" is not a schema name`);
    const pool = createPool({ uri: url, dateStrings: true, connectionLimit: 1, connectTimeout: 10_000 });
    await pool.query('SELECT 1');
    return new OrderBook(pool, schema);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  /** The clock by which acceptance and finish are stamped. */
  async now(): Promise<string> {
    const [row] = await this.#rows<{ now: string }>('SELECT CAST(UTC_TIMESTAMP(3) AS CHAR) AS now', []);
    return row?.now ?? '';
  }

  /** How many orders entered since `since` are not finished: those that run, and those that wait in the queue. */
  async unfinished(since: string): Promise<number> {
    const sql = `SELECT COUNT(*) AS n FROM ${this.#table} WHERE state IN (?, ?) AND created_at >= ?`;
    const [row] = await this.#rows<{ n: number }>(sql, [PENDING, QUEUED, since]);
    return row?.n ?? 0;
  }

  /**
   * Waits until as many orders for these products as were accepted have been entered since `since`, and all are finished,
   * for `seconds` at most: an order of a flash sale is entered only when the queue comes to it. Returns how many are not.
   */
  async waitUntilFinished({ products, since, accepted }: AcceptedOrders, seconds: number): Promise<number> {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      let left = await this.unfinished(since);
      // the whole table is looked through for it: only when nothing else is left
      if (left === 0) left = Math.max(0, accepted - (await this.#entered(products, since)));
      if (left === 0 || performance.now() >= deadline) return left;
      await pause(100);
    }
  }

  /**
   * Waits until all accepted orders of a run are finished, however many there are, but no longer than `seconds` for the next one
   * to finish. Returns how many are not.
   */
  waitWhileFinishing(run: AcceptedOrders, seconds: number): Promise<number> {
    return waitUntilNone(
      async () => Math.max(run.accepted - (await this.#ended(run)), await this.unfinished(run.since)),
      { patienceMs: seconds * 1000, everyMs: LOOK_EVERY_MS },
    );
  }

  async #ended({ products, since }: AcceptedOrders): Promise<number> {
    const sql = `SELECT COUNT(*) AS n FROM ${this.#table} WHERE created_at >= ? AND product_id IN (?) AND state IN (?, ?)`;
    const [row] = await this.#rows<{ n: number }>(sql, [since, products, PLACED, CANCELLED]);
    return row?.n ?? 0;
  }

  async #entered(products: readonly number[], since: string): Promise<number> {
    const sql = `SELECT COUNT(*) AS n FROM ${this.#table} WHERE created_at >= ? AND product_id IN (?)`;
    const [row] = await this.#rows<{ n: number }>(sql, [since, products]);
    return row?.n ?? 0;
  }

  /** How the orders for these products ended; each was accepted when its id says so. */
  async finished({ products, since, accepted }: AcceptedOrders, loadEnd: string): Promise<FinishedOrders> {
    const rows = await this.#rows<{ state: number; ms: number | null; after: number | null }>(
      `SELECT state,
         TIMESTAMPDIFF(MICROSECOND, STR_TO_DATE(LEFT(order_id, 20), '%Y%m%d%H%i%s%f'), finished_at) / 1000 AS ms,
         TIMESTAMPDIFF(MICROSECOND, ?, finished_at) / 1000 AS after
       FROM ${this.#table} WHERE created_at >= ? AND product_id IN (?)`,
      [loadEnd, since, products],
    );
    const ended = rows.filter(({ state, after }) => (state === PLACED || state === CANCELLED) && after !== null);
    return {
      placed: rows.filter(({ state }) => state === PLACED).length,
      cancelled: rows.filter(({ state }) => state === CANCELLED).length,
      unfinished: Math.max(accepted, rows.length) - ended.length,
      duringLoad: ended.filter(({ after }) => Number(after) <= 0).length,
      latency: percentiles(ended.flatMap(({ ms }) => (ms === null ? [] : Number(ms)))),
      tailSeconds: ended.reduce((most, { after }) => Math.max(most, Number(after) / 1000), 0),
    };
  }

  async #rows<Row>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    const ask = async () => {
      try {
        const [rows] = await this.#pool.query(sql, [...values]);
        return { rows: rows as Row[] };
      } catch (error) {
        // what was wrong with the connection, not with the statement
        if ((error as QueryError).fatal) throw error;
        return { error };
      }
    };
    const answer = await waitFor('reading the orders', ask, { timeoutMs: OUTAGE_MS, everyMs: 500 });
    if (answer.rows) return answer.rows;
    throw answer.error;
  }
}
