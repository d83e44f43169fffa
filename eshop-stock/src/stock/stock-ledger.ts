import { LocalTransaction } from '@eshop/nest-dtm';
import { ContractError } from '@eshop/proto';
import { Injectable } from '@nestjs/common';

/** Moves units out of and back into stock, inside the branch's local transaction. */
@Injectable()
export class StockLedger {
  constructor(private readonly transaction: LocalTransaction) {}

  /** Takes `count` units. Throws STOCK_INSUFFICIENT when there are fewer, or when the product has no stock at all. */
  async take(productID: number, count: number): Promise<void> {
    // Condition and deduction are one statement, so that no two orders can both see the last unit.
    const { affectedRows } = await this.transaction.execute(
      'UPDATE stock SET stock = stock - ? WHERE product_id = ? AND stock >= ?',
      [count, productID, count],
    );
    if (affectedRows === 0) {
      throw new ContractError('STOCK_INSUFFICIENT', `fewer than ${count} units of product ${productID} are in stock`);
    }
  }

  /** Gives back what `take` took. The barrier makes sure that it did. */
  async giveBack(productID: number, count: number): Promise<void> {
    const { affectedRows } = await this.transaction.execute('UPDATE stock SET stock = stock + ? WHERE product_id = ?', [
      count,
      productID,
    ]);
    if (affectedRows === 0) throw new Error(`no stock row of product ${productID} to give ${count} units back to`);
  }
}
