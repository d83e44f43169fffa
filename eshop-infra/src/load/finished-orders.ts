import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
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

/** Reads the order service's book of accepted orders; a connection of its own. */
export class OrderBook {
  readonly #connection: Awaited<ReturnType<typeof createConnection>>;
  readonly #table: string;

  private constructor(connection: Awaited<ReturnType<typeof createConnection>>, schema: string) {
    this.#connection = connection;
    this.#table = `${schema}.order_submission`;
  }

  static async open(url: string, schema: string): Promise<OrderBook> {
    if (!/^\w+$/.test(schema)) throw new Error(`"${schema}" is not a schema name`);
    const connection = await createConnection({ uri: url, dateStrings: true });
    await connection.query("SET SESSION time_zone = '+00:00'");
    return new OrderBook(connection, schema);
  }

  close(): Promise<void> {
    return this.#connection.end();
  }

  /** The clock by which acceptance and finish are stamped. */
  async now(): Promise<string> {
    const [row] = await this.#rows<{ now: string }>('SELECT CAST(UTC_TIMESTAMP(3) AS CHAR) AS now', []);
    return row?.now ?? '';
  }

  /** How many orders accepted since `since` are not finished. */
  async unfinished(since: string): Promise<number> {
    const sql = `SELECT COUNT(*) AS n FROM ${this.#table} WHERE state = 0 AND created_at >= ?`;
    const [row] = await this.#rows<{ n: number }>(sql, [since]);
    return row?.n ?? 0;
  }

  /** Waits until all orders accepted since `since` are finished, for `seconds` at most. Returns how many are not. */
  async waitUntilFinished(since: string, seconds: number): Promise<number> {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const left = await this.unfinished(since);
      if (left === 0 || performance.now() >= deadline) return left;
      await pause(100);
    }
  }

  /** How the orders for these products ended. */
  async finished(products: readonly number[], since: string, loadEnd: string): Promise<FinishedOrders> {
    const rows = await this.#rows<{ state: number; ms: number | null; after: number | null }>(
      `SELECT state, TIMESTAMPDIFF(MICROSECOND, created_at, finished_at) / 1000 AS ms,
         TIMESTAMPDIFF(MICROSECOND, ?, finished_at) / 1000 AS after
       FROM ${this.#table} WHERE created_at >= ? AND product_id IN (?)`,
      [loadEnd, since, products],
    );
    const ended = rows.filter(({ state, ms }) => state !== 0 && ms !== null);
    return {
      placed: rows.filter(({ state }) => state === 1).length,
      cancelled: rows.filter(({ state }) => state === 2).length,
      unfinished: rows.filter(({ state }) => state === 0).length,
      duringLoad: ended.filter(({ after }) => Number(after) <= 0).length,
      latency: percentiles(ended.map(({ ms }) => Number(ms))),
      tailSeconds: ended.reduce((most, { after }) => Math.max(most, Number(after) / 1000), 0),
    };
  }

  async #rows<Row>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    const [rows] = await this.#connection.query(sql, [...values]);
    return rows as Row[];
  }
}
