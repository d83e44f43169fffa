import { randomBytes } from 'node:crypto';
import mysql, { type Connection } from 'mysql2/promise';
import type { BarrierTrace } from '../barrier-trace.ts';
import { type Schemas, schemaNames } from '../schemas.ts';
import { tables } from './tables.ts';

/** One order to plant; what is absent is as in an order of one unit of product 1 at 100 by user 7, without a coupon. */
export interface PlantedOrder {
  productID?: number;
  count?: number;
  price?: number | null;
  amount?: number;
  couponID?: number;
  couponAmount?: number;
  userID?: number;
  state?: 'pending' | 'placed' | 'cancelled' | 'queued';
  reason?: string;
  /** Status of the order row; null = no row. */
  status?: number | null;
  /** Status of the payment row; null = no row. */
  pay?: number | null;
  /** null = DTM does not know it. */
  dtm?: string | null;
  branches?: Partial<Record<'order' | 'stock' | 'coupon' | 'pay', BarrierTrace>>;
  /** Age in seconds. */
  age?: number;
  /** The flash sale that the unit comes from. */
  saleID?: number;
  /** Default: one that no other order of this world has. */
  orderID?: string;
}

/** The first branch of an ordinary order's saga, and of that of a flash sale's order. */
export const ENTER_ORDER = '127.0.0.1:30282/api.order.v1.order/Create';
export const TAKE_UNITS = '127.0.0.1:30382/api.stock.v1.stock/StockDeduct';

const url = process.env.TEST_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306';

/** Throw-away databases of a whole shop, into which a test plants what it wants to be found. */
export class World {
  readonly url = url;
  readonly schemas: Schemas;
  readonly connection: Connection;
  #orders = 0;

  private constructor(connection: Connection) {
    const prefix = `audit_${randomBytes(5).toString('hex')}`;
    const schema = (name: string) => `${prefix}_${name}`;
    this.schemas = {
      order: schema('order'),
      stock: schema('stock'),
      coupon: schema('coupon'),
      pay: schema('pay'),
      dtm: schema('dtm'),
      firstBranches: [ENTER_ORDER, TAKE_UNITS],
    };
    this.connection = connection;
  }

  static async create(): Promise<World> {
    const world = new World(await mysql.createConnection({ uri: url }));
    await world.connection.query("SET time_zone = '+00:00'");
    for (const schema of schemaNames(world.schemas)) await world.connection.query(`CREATE DATABASE ${schema}`);
    const [found] = await world.connection.query(
      `SELECT COLLATION_NAME AS name FROM information_schema.COLLATIONS
       WHERE COLLATION_NAME IN ('utf8mb4_0900_bin', 'utf8mb4_nopad_bin')`,
    );
    const [binary] = found as { name: string }[];
    if (!binary) throw new Error('the database server has no binary collation that does not pad');
    for (const sql of tables(world.schemas, binary.name)) await world.connection.query(sql);
    return world;
  }

  async drop(): Promise<void> {
    for (const schema of schemaNames(this.schemas)) await this.connection.query(`DROP DATABASE ${schema}`);
    await this.connection.end();
  }

  /** Empties all tables. */
  async clear(): Promise<void> {
    const [found] = await this.connection.query(
      'SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA IN (?)',
      [schemaNames(this.schemas)],
    );
    for (const { s, t } of found as { s: string; t: string }[]) await this.connection.query(`TRUNCATE ${s}.${t}`);
  }

  /** Runs SQL in which `{order}`, `{stock}`, `{coupon}`, `{pay}` and `{dtm}` stand for the schemas. */
  async sql(text: string, values: unknown[] = []): Promise<void> {
    const sql = text.replace(/\{([a-z]+)\}/g, (_, name: Exclude<keyof Schemas, 'firstBranches'>) => this.schemas[name]);
    await this.connection.query(sql, values);
  }

  async product(productID: number, initial: number, stock = initial): Promise<void> {
    await this.sql('INSERT INTO {stock}.stock (product_id, stock, initial) VALUES (?, ?, ?)', [
      productID,
      stock,
      initial,
    ]);
  }

  async coupon(id: number, amount: number, orderID = '', userID = 7): Promise<void> {
    await this.sql('INSERT INTO {coupon}.coupon (id, user_id, amount, status, order_id) VALUES (?, ?, ?, ?, ?)', [
      id,
      userID,
      amount,
      orderID === '' ? 1 : 2,
      orderID,
    ]);
  }

  /** An id made on 22 November 2026. */
  newOrderID(): string {
    return `2026112200000000000${String(++this.#orders).padStart(7, '0')}`;
  }

  /** An order that was carried out: units taken, paid for, its coupon used. Returns its id. */
  async placed(planted: PlantedOrder = {}): Promise<string> {
    const { productID = 1, count = 1, couponID = 0 } = planted;
    const coupon = couponID > 0 ? { coupon: 'done' as const } : {};
    const orderID = await this.order({
      state: 'placed',
      dtm: 'succeed',
      ...planted,
      branches: { order: 'done', stock: 'done', pay: 'done', ...coupon, ...planted.branches },
    });
    await this.sql('UPDATE {stock}.stock SET stock = stock - ? WHERE product_id = ?', [count, productID]);
    await this.sql('UPDATE {coupon}.coupon SET status = 2, order_id = ? WHERE id = ?', [orderID, couponID]);
    return orderID;
  }

  /** An order whose saga rolled back because there was no stock. Returns its id. */
  cancelled(planted: PlantedOrder = {}): Promise<string> {
    return this.order({
      state: 'cancelled',
      reason: 'STOCK_INSUFFICIENT',
      dtm: 'failed',
      status: 5,
      pay: null,
      ...planted,
      branches: { order: 'undone', stock: 'skipped', ...planted.branches },
    });
  }

  /** Just the rows; stock and coupons stay as they are. */
  async order(planted: PlantedOrder): Promise<string> {
    const { productID = 1, count = 1, price = 100, couponID = 0, couponAmount = 0, userID = 7, age = 0 } = planted;
    const { saleID = 0, orderID = this.newOrderID() } = planted;
    const { amount = (price ?? 0) * count - couponAmount, state = 'pending', reason = '', branches = {} } = planted;
    const { status = 1, pay = 1, dtm = 'submitted' } = planted;
    const terms = [orderID, userID, productID, count, amount, couponID, price, couponAmount, saleID];
    await this.sql(
      `INSERT INTO {order}.order_submission (order_id, user_id, product_id, product_count, amount, coupon_id, price,
         coupon_amount, sale_id, state, reason, created_at, finished_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(3) - INTERVAL ? SECOND, IF(state IN (0, 3), NULL, NOW(3)))`,
      [...terms, ['pending', 'placed', 'cancelled', 'queued'].indexOf(state), reason, age],
    );
    if (status !== null) {
      await this.sql(
        `INSERT INTO {order}.order_record (order_id, user_id, product_id, product_count, amount, coupon_id, price,
           coupon_amount, sale_id, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [...terms, status],
      );
    }
    if (pay !== null) {
      const values = [userID, orderID, amount, pay];
      await this.sql('INSERT INTO {pay}.pay (user_id, order_id, amount, status) VALUES (?, ?, ?, ?)', values);
    }
    if (dtm !== null) await this.saga(orderID, dtm, saleID > 0 ? TAKE_UNITS : ENTER_ORDER);
    const services = (['order', 'stock', 'coupon', 'pay'] as const).filter(
      (service) => !(service === 'order' && saleID > 0) && !(service === 'coupon' && couponID === 0),
    );
    for (const [index, service] of services.entries()) {
      const trace = branches[service];
      if (trace) await this.barrier(service, orderID, `0${index + 1}`, trace);
    }
    return orderID;
  }

  async saga(gid: string, status: string, firstBranch = ENTER_ORDER): Promise<void> {
    await this.sql("INSERT INTO {dtm}.trans_global (gid, trans_type, status) VALUES (?, 'saga', ?)", [gid, status]);
    await this.sql(
      "INSERT INTO {dtm}.trans_branch_op (gid, url, branch_id, op, status) VALUES (?, ?, '01', 'action', 'succeed')",
      [gid, firstBranch],
    );
  }

  async barrier(service: keyof Schemas, gid: string, branch: string, trace: BarrierTrace): Promise<void> {
    const rows: Partial<Record<BarrierTrace, [string, string][]>> = {
      done: [['action', 'action']],
      undone: [
        ['action', 'action'],
        ['compensate', 'compensate'],
      ],
      // The stock service was the one that refused: its rows say why.
      skipped: [
        ['action', 'compensate'],
        ['compensate', service === 'stock' ? 'STOCK_INSUFFICIENT: fewer than 3, or: none' : 'compensate'],
      ],
    };
    for (const [op, reason] of rows[trace] ?? []) {
      await this.sql(
        `INSERT INTO {${service}}.barrier (trans_type, gid, branch_id, op, barrier_id, reason)
         VALUES ('saga', ?, ?, ?, '01', ?)`,
        [gid, branch, op, reason],
      );
    }
  }
}
