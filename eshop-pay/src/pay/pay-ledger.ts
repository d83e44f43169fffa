import { LocalTransaction } from '@eshop/nest-dtm/mysql';
import { ContractError } from '@eshop/proto';
import { Injectable } from '@nestjs/common';
import { PayStatus } from './pay-status.js';

interface OpenedPayment {
  readonly orderID: string;
  readonly userID: number;
  readonly amount: number;
}

/** Opens and cancels payments, inside the branch's local transaction. */
@Injectable()
export class PayLedger {
  constructor(private readonly transaction: LocalTransaction) {}

  /** Opens the payment of an order over `amount` cents and returns its id. */
  async open(orderID: string, userID: number, amount: number): Promise<number> {
    if (orderID !== this.transaction.branch.gid) {
      throw new ContractError('CONFLICT', 'the order id is not that of this transaction');
    }
    return this.transaction.writeTogether(this.insert, { orderID, userID, amount });
  }

  private readonly insert = async (payments: readonly OpenedPayment[]): Promise<number[]> => {
    const { insertId } = await this.transaction.execute(
      `INSERT INTO pay (user_id, order_id, amount, status) VALUES ${payments.map(() => '(?, ?, ?, ?)').join(', ')}`,
      payments.flatMap(({ userID, orderID, amount }) => [userID, orderID, amount, PayStatus.awaiting]),
    );
    if (payments.length === 1) return [insertId];
    // Their ids need not follow each other by 1: a server may have been given another auto_increment_increment.
    const rows = await this.transaction.query<{ id: number; order_id: string }>(
      `SELECT id, order_id FROM pay WHERE order_id IN (${payments.map(() => '?').join(', ')})`,
      payments.map(({ orderID }) => orderID),
    );
    const ids = new Map(rows.map(({ id, order_id }) => [order_id, id]));
    return payments.map(({ orderID }) => ids.get(orderID) as number);
  };

  /** Cancels the payment of an order. One that has been paid stays: taking money back is not a matter of a rollback. */
  async cancel(orderID: string): Promise<void> {
    const { affectedRows } = await this.transaction.execute(
      'UPDATE pay SET status = ? WHERE order_id = ? AND status = ?',
      [PayStatus.cancelled, orderID, PayStatus.awaiting],
    );
    if (affectedRows === 0) throw new Error(`payment of order ${orderID} cannot be cancelled: it is not awaited`);
  }
}
