import mysql, { type Connection } from 'mysql2/promise';
import type { Schemas } from '../schemas.ts';
import type { World } from './world.ts';

const branchNumbers = { order: '01', stock: '02', pay: '03' } as const;
type Branch = keyof typeof branchNumbers;

/** Carries orders out one after the other, step by step in local transactions as the services do, until it is told to stop. */
export class BusyShop {
  readonly #world: World;
  readonly #connection: Connection;
  readonly #name: string;
  finished = 0;

  private constructor(world: World, connection: Connection, name: string) {
    this.#world = world;
    this.#connection = connection;
    this.#name = name;
  }

  static async open(world: World, name: string): Promise<BusyShop> {
    const connection = await mysql.createConnection({ uri: world.url });
    await connection.query("SET time_zone = '+00:00'");
    return new BusyShop(world, connection, name);
  }

  /** Every third order is for more units than there ever are, and rolls back. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const number = this.finished + 1;
      await this.#order(`busy-${this.#name}-${number}`, number % 3 === 0 ? 1_000_000 : 1 + (number % 2));
      this.finished = number;
    }
  }

  close(): Promise<void> {
    return this.#connection.end();
  }

  async #order(id: string, count: number): Promise<void> {
    const terms = '(order_id, user_id, product_id, product_count, amount, coupon_id, price, coupon_amount';
    const values = [id, count, count * 100];
    await this.#sql(
      `INSERT INTO {order}.order_submission ${terms}, state) VALUES (?, 7, 1, ?, ?, 0, 100, 0, 0)`,
      values,
    );
    await this.#world.saga(id, 'submitted');
    await this.#branch(id, 'order', 'action', () =>
      this.#sql(`INSERT INTO {order}.order_record ${terms}, status) VALUES (?, 7, 1, ?, ?, 0, 100, 0, 1)`, values),
    );
    const taken = await this.#branch(id, 'stock', 'action', () =>
      this.#sql('UPDATE {stock}.stock SET stock = stock - ? WHERE product_id = 1 AND stock >= ?', [count, count]),
    );
    if (taken) {
      await this.#branch(id, 'pay', 'action', () =>
        this.#sql('INSERT INTO {pay}.pay (order_id, user_id, amount, status) VALUES (?, 7, ?, 1)', [id, count * 100]),
      );
    } else {
      await this.#sql("UPDATE {dtm}.trans_global SET status = 'aborting' WHERE gid = ?", [id]);
      await this.#branch(id, 'stock', 'compensate', () =>
        this.#sql('UPDATE {stock}.stock SET stock = stock + ? WHERE product_id = 1', [count]),
      );
      await this.#branch(id, 'order', 'compensate', () =>
        this.#sql('UPDATE {order}.order_record SET status = 5 WHERE order_id = ?', [id]),
      );
    }
    await this.#sql('UPDATE {dtm}.trans_global SET status = ? WHERE gid = ?', [taken ? 'succeed' : 'failed', id]);
    await this.#sql(
      'UPDATE {order}.order_submission SET state = ?, reason = ?, finished_at = NOW(3) WHERE order_id = ?',
      [taken ? 1 : 2, taken ? '' : 'STOCK_INSUFFICIENT', id],
    );
  }

  /** One branch call: barrier rows and effect in one transaction. Returns whether it was not refused. */
  async #branch(
    id: string,
    branch: Branch,
    op: 'action' | 'compensate',
    effect: () => Promise<number>,
  ): Promise<boolean> {
    await this.#connection.beginTransaction();
    const early = op === 'compensate' && (await this.#barrier(id, branch, 'action', op)) > 0;
    await this.#barrier(id, branch, op, op);
    const done = early || (await effect()) > 0;
    await (done ? this.#connection.commit() : this.#connection.rollback());
    return done;
  }

  #barrier(id: string, branch: Branch, op: string, reason: string): Promise<number> {
    return this.#sql(
      `INSERT IGNORE INTO {${branch}}.barrier (trans_type, gid, branch_id, op, barrier_id, reason)
       VALUES ('saga', ?, ?, ?, '01', ?)`,
      [id, branchNumbers[branch], op, reason],
    );
  }

  async #sql(text: string, values: unknown[]): Promise<number> {
    const sql = text.replace(
      /\{(\w+)\}/g,
      (_, name: Exclude<keyof Schemas, 'firstBranches'>) => this.#world.schemas[name],
    );
    const [result] = await this.#connection.query<mysql.ResultSetHeader>(sql, values);
    return result.affectedRows;
  }
}
