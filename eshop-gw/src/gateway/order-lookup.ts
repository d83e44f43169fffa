import { ContractError } from '@eshop/proto';
import type { GetOrderReply } from '@eshop/proto/gateway';
import { OrderClient } from '@eshop/proto/order';
import { type Pay, PayClient } from '@eshop/proto/pay';
import { Injectable } from '@nestjs/common';

/** Puts together what the order and the pay service know of an order id. */
@Injectable()
export class OrderLookup {
  constructor(
    private readonly orders: OrderClient,
    private readonly pays: PayClient,
  ) {}

  /** Throws ORDER_NOT_FOUND for an id that was never given out. */
  async find(orderID: string): Promise<GetOrderReply> {
    const [{ order, state, reason, transaction }, pay] = await Promise.all([
      this.orders.getByOrderID({ orderID }),
      this.payOf(orderID),
    ]);
    return { orderID, state, reason, transaction, order, pay };
  }

  /** The payment comes last in the saga, so an order without one is nothing unusual. */
  private async payOf(orderID: string): Promise<Pay | undefined> {
    try {
      return (await this.pays.getByOrderID({ orderID })).pay;
    } catch (error) {
      if (error instanceof ContractError && error.code === 'PAY_NOT_FOUND') return undefined;
      throw error;
    }
  }
}
