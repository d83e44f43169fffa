import { LocalTransaction } from '@eshop/nest-dtm/mysql';
import { ContractError } from '@eshop/proto';
import type { CreateOrderRequest } from '@eshop/proto/order';
import { Injectable } from '@nestjs/common';
import { OrderStatus } from './order-status.js';

/** Enters and cancels order rows, inside the branch's local transaction. Those of flash sales are the submission store's. */
@Injectable()
export class OrderBook {
  constructor(private readonly transaction: LocalTransaction) {}

  /** Enters the order, awaiting payment. A price of 0 says that the amount is not the server's own computation. */
  async enter(order: CreateOrderRequest): Promise<void> {
    if (order.orderID !== this.transaction.branch.gid) {
      throw new ContractError('CONFLICT', 'the order id is not that of this transaction');
    }
    await this.transaction.writeTogether(this.insert, order);
  }

  private readonly insert = async (orders: readonly CreateOrderRequest[]): Promise<undefined> => {
    const { text, values } = orderRows(orders);
    await this.transaction.execute(text, values);
  };

  /** Cancels an order that is still to be paid; one that went further is not a rollback's to undo. */
  async cancel(orderID: string): Promise<void> {
    const { text, values } = cancellation(orderID);
    const { affectedRows } = await this.transaction.execute(text, values);
    if (affectedRows === 0) throw notToPay(orderID);
  }
}

/** The statement that enters orders, awaiting payment. */
export function orderRows(orders: readonly CreateOrderRequest[]) {
  return {
    text: `INSERT INTO order_record
         (order_id, user_id, product_id, product_count, amount, coupon_id, price, coupon_amount, sale_id, status)
       VALUES ${orders.map(() => '(?, ?, ?, ?, ?, ?, NULLIF(?, 0), ?, ?, ?)').join(', ')}`,
    values: orders.flatMap((order) => [
      order.orderID,
      order.userID,
      order.productID,
      order.productCount,
      order.amount,
      order.couponID,
      order.price,
      order.couponAmount,
      order.saleID,
      OrderStatus.toPay,
    ]),
  };
}

/** The statement that cancels an order; it changes one row, or none: {@link notToPay}. */
export function cancellation(orderID: string) {
  return {
    text: 'UPDATE order_record SET status = ? WHERE order_id = ? AND status = ?',
    values: [OrderStatus.cancelled, orderID, OrderStatus.toPay],
  };
}

export function notToPay(orderID: string): Error {
  return new Error(`order ${orderID} cannot be cancelled: it does not await payment`);
}
