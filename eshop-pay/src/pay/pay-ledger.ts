import { LocalTransaction } from '@eshop/nest-dtm';
import { ContractError } from '@eshop/proto';
import { Injectable } from '@nestjs/common';
import { PayStatus } from './pay-status.js';

/** Opens and cancels payments, inside the branch's local transaction. */
@Injectable()
export class PayLedger {
  constructor(private readonly transaction: LocalTransaction) {}

  /** Opens the payment of an order over `amount` cents and returns its id. */
  async open(orderID: string, userID: number, amount: number): Promise<number> {
    if (orderID !== this.transaction.branch.gid) {
      throw new ContractError('CONFLICT', 'the order id is not that of this transaction');
    }
    const { insertId } = await this.transaction.execute(
      'INSERT INTO pay (user_id, order_id, amount, status) VALUES (?, ?, ?, ?)',
      [userID, orderID, amount, PayStatus.awaiting],
    );
    return insertId;
  }

  /** Cancels the payment of an order. One that has been paid stays: taking money back is not a matter of a rollback. */
  async cancel(orderID: string): Promise<void> {
    const { affectedRows } = await this.transaction.execute(
      'UPDATE pay SET status = ? WHERE order_id = ? AND status = ?',
      [PayStatus.cancelled, orderID, PayStatus.awaiting],
    );
    if (affectedRows === 0) throw new Error(`payment of order ${orderID} cannot be cancelled: it is not awaited`);
  }
}
