import { InjectConfig } from '@eshop/nest-service';
import { ContractError, formatTime } from '@eshop/proto';
import type { GetByOrderIDReply, GetSaleReply, ReturnUnitRequest } from '@eshop/proto/flashsale';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Config } from '../config.js';
import { available } from '../redis/available.js';
import { type SaleKeys, saleKeys } from './sale-keys.js';
import { SaleStatus, STATE_NAMES } from './sale-status.js';
import { RETURN_UNIT } from './scripts/return-unit.lua.js';

/** How long it is remembered which product an order id belongs to: as long as DTM may still carry the order. */
const ORDER_SECONDS = 8 * 86_400;

/** What Redis holds of flash sales. All methods throw UNAVAILABLE when Redis does not answer. */
@Injectable()
export class SaleCounters {
  private readonly prefix: string;

  constructor(
    private readonly redis: Redis,
    @InjectConfig() config: Config,
  ) {
    this.prefix = config.flashSale.keyPrefix;
  }

  keys(productID: number): SaleKeys {
    return saleKeys(this.prefix, productID);
  }

  /**
   * The sale that a user can buy in now. One read, two in a sale with a limit. Throws FLASH_SALE_NOT_OPEN,
   * FLASH_SALE_SOLD_OUT, FLASH_SALE_LIMIT_REACHED.
   */
  async openSale(productID: number, userID: number): Promise<number> {
    const keys = this.keys(productID);
    const [saleID, status, left, limit, opens, closes] = await available(
      this.redis.hmget(keys.sale, 'saleID', 'status', 'left', 'limit', 'opens', 'closes'),
    );
    const now = Date.now();
    if (Number(status) !== SaleStatus.running || now < Number(opens) || (Number(closes) > 0 && now >= Number(closes))) {
      throw new ContractError('FLASH_SALE_NOT_OPEN');
    }
    if (Number(left) < 1) throw new ContractError('FLASH_SALE_SOLD_OUT');
    if (Number(limit) > 0) {
      const bought = Number(await available(this.redis.hget(keys.users, String(userID))));
      if (bought >= Number(limit)) throw new ContractError('FLASH_SALE_LIMIT_REACHED');
    }
    return Number(saleID);
  }

  /** The running sale, 0 when there is none. */
  async runningSale(productID: number): Promise<number> {
    return Number((await available(this.redis.hget(this.keys(productID).sale, 'saleID'))) ?? 0);
  }

  /** Notes where the unit of an order is to be looked for. */
  async noteOrder(orderID: string, productID: number): Promise<void> {
    await available(this.redis.set(this.orderKey(orderID), productID, 'EX', ORDER_SECONDS));
  }

  /** Throws ORDER_NOT_FOUND unless the order holds a unit. */
  async findOrder(orderID: string): Promise<GetByOrderIDReply> {
    const productID = Number((await available(this.redis.get(this.orderKey(orderID)))) ?? 0);
    const keys = this.keys(productID);
    const [userID, saleID] = productID
      ? await available(Promise.all([this.redis.hget(keys.units, orderID), this.redis.hget(keys.sale, 'saleID')]))
      : [null, null];
    if (userID === null) throw new ContractError('ORDER_NOT_FOUND', `no unit is held for order ${orderID}`);
    return { orderID, state: 'queued', userID: Number(userID), productID, saleID: Number(saleID) };
  }

  async get(productID: number): Promise<GetSaleReply> {
    const keys = this.keys(productID);
    const [sale, held] = await available(Promise.all([this.redis.hgetall(keys.sale), this.redis.hlen(keys.units)]));
    const number = (field: string) => Number(sale[field] ?? 0);
    return {
      productID,
      state: STATE_NAMES[number('status')] ?? 'none',
      saleID: number('saleID'),
      version: number('version'),
      left: number('left'),
      reserved: held + number('sold'),
      limitPerUser: number('limit'),
      opensAt: timeText(number('opens')),
      closesAt: timeText(number('closes')),
    };
  }

  /** Puts the unit of an order back, once. */
  async returnUnit({ productID, saleID, orderID }: ReturnUnitRequest): Promise<void> {
    const { sale, units, users } = this.keys(productID);
    await available(this.redis.eval(RETURN_UNIT, 3, sale, units, users, saleID, orderID));
  }

  private orderKey(orderID: string): string {
    return `${this.prefix}order:${orderID}`;
  }
}

function timeText(ms: number): string {
  return ms === 0 ? '' : formatTime(new Date(ms));
}
