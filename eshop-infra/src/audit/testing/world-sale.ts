import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { PlantedOrder, World } from './world.ts';

const url = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379';

/** A flash sale of a product of a test's world: its books in the database, its counter in Redis under a prefix of its own. */
export class WorldSale {
  readonly saleID = 1_763_769_600_000_123;
  readonly productID: number;
  readonly counters = { url, prefix: `audit-${randomBytes(5).toString('hex')}:` };
  readonly #world: World;
  readonly #redis = new Redis(url);

  private constructor(world: World, productID: number) {
    this.#world = world;
    this.productID = productID;
  }

  /** A sale of some of the units that the product has; it was last changed before any order of the world was made. */
  static async open(world: World, productID: number, units: number, limitPerUser = 0): Promise<WorldSale> {
    const sale = new WorldSale(world, productID);
    await world.sql('UPDATE {stock}.stock SET allotted = ?, sale_id = ?, sale_version = 1 WHERE product_id = ?', [
      units,
      sale.saleID,
      productID,
    ]);
    await world.sql(
      `INSERT INTO {stock}.flash_sale (id, product_id, units, limit_per_user, version, status, updated_at)
       VALUES (?, ?, ?, ?, 1, 1, '2026-11-21 00:00:00.000')`,
      [sale.saleID, productID, units, limitPerUser],
    );
    const terms = { version: 1, left: units, limit: limitPerUser, opens: 0, closes: 0, status: 1 };
    await sale.counter({ saleID: sale.saleID, ...terms });
    return sale;
  }

  #key(name: string): string {
    return `${this.counters.prefix}{${this.productID}}:${name}`;
  }

  /** Sets fields of the counter. */
  async counter(fields: Record<string, number>): Promise<void> {
    await this.#redis.hset(this.#key('sale'), fields);
  }

  /** Takes a unit for an order, as a buyer does. */
  async reserve(orderID: string, userID = 7): Promise<string> {
    await this.#redis
      .multi()
      .hincrby(this.#key('sale'), 'left', -1)
      .hset(this.#key('units'), orderID, userID)
      .hincrby(this.#key('users'), String(userID), 1)
      .exec();
    return orderID;
  }

  /** Gives the unit of an order back. */
  async giveBack(orderID: string, userID = 7): Promise<void> {
    await this.#redis
      .multi()
      .hincrby(this.#key('sale'), 'left', 1)
      .hdel(this.#key('units'), orderID)
      .hincrby(this.#key('users'), String(userID), -1)
      .exec();
  }

  /** An order that got its unit and was carried out. */
  async sold(planted: PlantedOrder = {}): Promise<string> {
    const { productID, saleID } = this;
    const orderID = await this.#world.placed({ productID, saleID, ...planted });
    await this.#world.sql('UPDATE {stock}.stock SET allotted = allotted - 1 WHERE product_id = ?', [productID]);
    return this.reserve(orderID, planted.userID);
  }

  /** Redis loses the counter. */
  async lose(): Promise<void> {
    await this.#redis.del(this.#key('sale'), this.#key('units'), this.#key('users'));
  }

  async close(): Promise<void> {
    await this.lose();
    this.#redis.disconnect();
  }
}
