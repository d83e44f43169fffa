import { InjectConfig, requestContext, type ServiceConfig, type z } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import { Injectable } from '@nestjs/common';
import type { configSchema } from '../config.js';

/** Sales that are remembered; beyond that all are forgotten, which costs no more than asking. */
const MOST = 10_000;

/**
 * Remembers for a moment which flash sales had no unit left, so that of a crowd after the same product only a few are asked
 * for at the service. A unit that comes back is seen when the moment is over, a sale that is set through this gateway at once.
 */
@Injectable()
export class SoldOut {
  private readonly until = new Map<number, number>();
  private readonly forMs: number;
  private changes = 0;

  constructor(@InjectConfig() config: ServiceConfig & z.infer<typeof configSchema>) {
    this.forMs = config.gateway.soldOutMs;
  }

  /** Throws FLASH_SALE_SOLD_OUT, from memory or as `buy` did. */
  async unless<T>(productID: number, buy: () => Promise<T>): Promise<T> {
    // A key may stand for a unit that was bought when there was one.
    const repeatable = requestContext()?.idempotencyKey !== undefined;
    if (!repeatable && this.holds(productID)) throw new ContractError('FLASH_SALE_SOLD_OUT');
    const { changes } = this;
    try {
      return await buy();
    } catch (error) {
      const soldOut = error instanceof ContractError && error.code === 'FLASH_SALE_SOLD_OUT';
      // Not when a sale was set meanwhile: the answer may be of the time before.
      if (soldOut && !repeatable && changes === this.changes) this.remember(productID);
      throw error;
    }
  }

  /** Runs what changes the sale of a product. Nothing that was known of it before counts afterwards. */
  async changing<T>(productID: number, change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } finally {
      this.changes++;
      this.until.delete(productID);
    }
  }

  private holds(productID: number): boolean {
    const until = this.until.get(productID);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.until.delete(productID);
    return false;
  }

  private remember(productID: number): void {
    if (this.until.size >= MOST) this.until.clear();
    this.until.set(productID, performance.now() + this.forMs);
  }
}
