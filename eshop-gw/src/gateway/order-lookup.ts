import { type CodeName, ContractError } from '@eshop/proto';
import { FlashSaleClient } from '@eshop/proto/flashsale';
import type { GetOrderReply } from '@eshop/proto/gateway';
import { type GetByOrderIDReply, OrderClient } from '@eshop/proto/order';
import { PayClient } from '@eshop/proto/pay';
import { Injectable } from '@nestjs/common';
import { clientReason } from './client-reason.js';

/** Puts together what the services know of an order id: order, pay and, before order has heard of it, flashSale. */
@Injectable()
export class OrderLookup {
  constructor(
    private readonly orders: OrderClient,
    private readonly pays: PayClient,
    private readonly flashSales: FlashSaleClient,
  ) {}

  /** Throws ORDER_NOT_FOUND for an id that was never given out. */
  async find(orderID: string): Promise<GetOrderReply> {
    const payment = () => found('PAY_NOT_FOUND', this.pays.getByOrderID({ orderID }));
    const [{ order, state, reason, transaction }, early] = await Promise.all([this.stateOf(orderID), payment()]);
    // The payment comes last in the saga: an order that is placed has one by now.
    const paid = early ?? (state === 'placed' ? await payment() : undefined);
    return { orderID, state, reason: clientReason(reason), transaction, order, pay: paid?.pay };
  }

  /** The order of a flash sale is known to that service first, until the queue has brought it to the order service. */
  private async stateOf(orderID: string): Promise<GetByOrderIDReply> {
    const order = await found('ORDER_NOT_FOUND', this.orders.getByOrderID({ orderID }));
    if (order) return order;
    const queued = await found('ORDER_NOT_FOUND', this.flashSales.getByOrderID({ orderID }));
    // Between the two questions it may have arrived, and even have been cancelled.
    if (!queued) return this.orders.getByOrderID({ orderID });
    return { order: undefined, state: queued.state, reason: '', transaction: '' };
  }
}

/** The answer, or undefined where the service does not know what is asked for. */
async function found<T>(notFound: CodeName, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ContractError && error.code === notFound) return undefined;
    throw error;
  }
}
