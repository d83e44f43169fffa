import { ContractError, parseTime } from '@eshop/proto';
import type { RebuildSaleReply } from '@eshop/proto/flashsale';
import { OrderClient, type SaleUser } from '@eshop/proto/order';
import { type FlashSale, StockClient } from '@eshop/proto/stock';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import { available } from '../redis/available.js';
import { SaleCounters } from './sale-counters.js';
import { SaleStatus } from './sale-status.js';
import { OPEN_REBUILT_SALE, REBUILD_SALE } from './scripts/rebuild-sale.lua.js';

/** A sale as the books of stock and order have it. */
interface Books {
  readonly sale: FlashSale;
  /** Units of the sale that no order has. */
  readonly left: number;
  readonly users: readonly SaleUser[];
}

const TRIES = 3;

/** Opens a sale again whose counter Redis has lost. */
@Injectable()
export class SaleRebuild {
  constructor(
    private readonly redis: Redis,
    private readonly counters: SaleCounters,
    private readonly stocks: StockClient,
    private readonly orders: OrderClient,
  ) {}

  /**
   * Puts the counter back from the books, closed; reads the books again; opens it when they still say the same, as they may
   * have been changed while they were read.
   *
   * Throws NOT_FOUND: the product has no sale; CONFLICT: the sale has ended, its counter is not lost, orders of it are under
   * way, or its books change all the time.
   */
  async rebuild(productID: number): Promise<RebuildSaleReply> {
    const { sale: saleKey, units, users: usersKey } = this.counters.keys(productID);
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      const { sale, left, users } = await this.booksOf(productID);
      const terms = [sale.limitPerUser, milliseconds(sale.opensAt), milliseconds(sale.closesAt)];
      const buyers = users.flatMap(({ userID, count }) => [userID, count]);
      const args = [sale.id, sale.version, left, sale.units - left, ...terms, ...buyers];
      const put = await available(this.redis.eval(REBUILD_SALE, 3, saleKey, units, usersKey, ...args));
      if (put === 0) throw conflict(productID, 'its counter is not lost');
      const again = await this.booksOf(productID);
      const open = [again.sale.id, again.sale.version, again.left];
      const opened = await available(this.redis.eval(OPEN_REBUILT_SALE, 1, saleKey, ...open));
      if (opened === 1) return { saleID: sale.id, left };
    }
    throw conflict(productID, 'its books are being changed');
  }

  private async booksOf(productID: number): Promise<Books> {
    const { flashSale: sale, allotted: left } = await this.stocks.getFlashSale({ productID });
    if (sale?.status !== SaleStatus.running) throw conflict(productID, 'it has ended');
    const { pending, users } = await this.orders.saleOrders({ productID, saleID: sale.id });
    if (pending > 0) throw conflict(productID, `${pending} orders of it are under way`);
    return { sale, left, users };
  }
}

/** 0 for no time. */
function milliseconds(text: string): number {
  return parseTime(text)?.getTime() ?? 0;
}

function conflict(productID: number, why: string): ContractError {
  return new ContractError('CONFLICT', `the flash sale of product ${productID} was not rebuilt: ${why}`);
}
