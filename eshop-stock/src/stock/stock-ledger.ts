import { LocalTransaction } from '@eshop/nest-dtm/mysql';
import { ContractError } from '@eshop/proto';
import { Injectable } from '@nestjs/common';

interface Deduction {
  readonly productID: number;
  readonly count: number;
  readonly saleID: number;
}

/** Moves units out of and back into stock, inside the branch's local transaction. */
@Injectable()
export class StockLedger {
  constructor(private readonly transaction: LocalTransaction) {}

  /**
   * Takes `count` units: of those allotted to the sale, or with `saleID` 0 of those that are not allotted to any. Throws
   * STOCK_INSUFFICIENT when there are fewer, or when the product has no stock at all.
   */
  async take(productID: number, count: number, saleID: number): Promise<void> {
    await this.transaction.writeTogether(this.deduct, { productID, count, saleID });
  }

  /** Products in the order of their ids, so that two transactions do not each hold a row that the other waits for. */
  private readonly deduct = async (deductions: readonly Deduction[]): Promise<undefined> => {
    const sums = new Map<string, Deduction>();
    for (const { productID, count, saleID } of deductions) {
      const key = `${productID} ${saleID}`;
      sums.set(key, { productID, saleID, count: count + (sums.get(key)?.count ?? 0) });
    }
    for (const { productID, count, saleID } of [...sums.values()].sort((a, b) => a.productID - b.productID)) {
      // Condition and deduction are one statement, so that no two orders can both see the last unit.
      const { affectedRows } =
        saleID === 0
          ? await this.transaction.execute(
              'UPDATE stock SET stock = stock - ? WHERE product_id = ? AND stock >= allotted + ?',
              [count, productID, count],
            )
          : await this.transaction.execute(
              `UPDATE stock SET stock = stock - ?, allotted = allotted - ?
                WHERE product_id = ? AND sale_id = ? AND allotted >= ?`,
              [count, count, productID, saleID, count],
            );
      if (affectedRows === 0) {
        const where = saleID === 0 ? 'in stock' : `in sale ${saleID}`;
        throw new ContractError('STOCK_INSUFFICIENT', `fewer than ${count} units of product ${productID} are ${where}`);
      }
    }
  };

  /** Gives back what `take` took, to the sale too while it runs. The barrier makes sure that it did. */
  async giveBack(productID: number, count: number, saleID: number): Promise<void> {
    const { affectedRows } = await (saleID === 0
      ? this.transaction.execute('UPDATE stock SET stock = stock + ? WHERE product_id = ?', [count, productID])
      : this.transaction.execute(
          'UPDATE stock SET stock = stock + ?, allotted = allotted + IF(sale_id = ?, ?, 0) WHERE product_id = ?',
          [count, saleID, count, productID],
        ));
    if (affectedRows === 0) throw new Error(`no stock row of product ${productID} to give ${count} units back to`);
  }
}
