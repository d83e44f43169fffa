import { LocalTransaction } from '@eshop/nest-dtm/mysql';
import { Sql } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import type { ApplySaleRequest } from '@eshop/proto/stock';
import { Injectable } from '@nestjs/common';
import { SaleStatus } from './flash-sale.entity.js';
import type { SaleTerms } from './sale-terms.js';

/** A product's units and its running sale. */
export interface SaleBook {
  readonly productID: number;
  /** Units in all. */
  readonly stock: number;
  /** Units of these that belong to the running sale and that no order's saga has taken yet. */
  readonly allotted: number;
  /** 0 = no sale runs. */
  readonly saleID: number;
  /** Changes of the product's sales so far. */
  readonly version: number;
  /** Of the running sale. */
  readonly terms: SaleTerms;
}

interface Row {
  stock: number;
  initial: number;
  allotted: number;
  sale_id: number;
  sale_version: number;
}

interface RowWithTerms extends Row {
  limit_per_user: number | null;
  opens_at: Date | null;
  closes_at: Date | null;
}

const MAX = 0xffff_ffff;

/** The stock side of flash sales: which units are set apart, for which sale. The counter that buyers see is the flash sale service's. */
@Injectable()
export class SaleBooks {
  constructor(
    private readonly sql: Sql,
    private readonly transaction: LocalTransaction,
  ) {}

  /** Throws STOCK_NOT_FOUND. */
  async of(productID: number): Promise<SaleBook> {
    const [row] = await this.sql.query<RowWithTerms>(
      `SELECT stock, allotted, sale_id, sale_version, limit_per_user, opens_at, closes_at
        FROM stock LEFT JOIN flash_sale ON flash_sale.id = stock.sale_id WHERE stock.product_id = ?`,
      [productID],
    );
    if (!row) throw new ContractError('STOCK_NOT_FOUND', `product ${productID} has no stock record`);
    const terms: SaleTerms = {
      limitPerUser: row.limit_per_user ?? 0,
      opensAtMs: milliseconds(row.opens_at),
      closesAtMs: milliseconds(row.closes_at),
    };
    const { stock, allotted, sale_id: saleID, sale_version: version } = row;
    return { productID, stock, allotted, saleID, version, terms };
  }

  /** Sets the units of a product without a sale. Resolves with false when a sale has begun meanwhile. */
  async setOrdinary(productID: number, stock: number): Promise<boolean> {
    // MySQL assigns from left to right: `initial` is computed while `stock` still is the old one.
    const { affectedRows } = await this.sql.run(
      'UPDATE stock SET initial = initial - stock + ?, stock = ? WHERE product_id = ? AND sale_id = 0',
      [stock, stock, productID],
    );
    return affectedRows > 0;
  }

  /**
   * Carries a planned change out, in the branch's transaction. Throws CONFLICT when it was planned on other books than these.
   * Allotted units are changed by a difference, since orders of the sale take units all the time.
   */
  async apply(change: ApplySaleRequest): Promise<void> {
    const { productID, saleID, version, granted, withdrawn, status } = change;
    const [row] = await this.transaction.query<Row>(
      'SELECT stock, initial, allotted, sale_id, sale_version FROM stock WHERE product_id = ? FOR UPDATE',
      [productID],
    );
    if (row?.sale_version !== version - 1) throw conflict(productID, 'another change came first');
    const stock = change.stock ?? row.stock;
    const initial = row.initial - row.stock + stock;
    const allotted = row.allotted + granted - withdrawn;
    const ended = status === SaleStatus.ended;
    if (allotted < 0 || allotted > stock || (ended && allotted > 0)) {
      throw conflict(productID, 'its orders came in between');
    }
    if (initial > MAX) throw conflict(productID, 'so many units cannot be kept in the books');
    await this.transaction.execute(
      `UPDATE stock SET stock = ?, initial = ?, allotted = ?, sale_id = ?, sale_version = ? WHERE product_id = ?`,
      [stock, initial, allotted, ended ? 0 : saleID, version, productID],
    );
    await (row.sale_id === 0 ? this.begin(change) : this.change(change));
  }

  private async begin(change: ApplySaleRequest): Promise<void> {
    const { productID, saleID, version, granted, limitPerUser, opensAtMs, closesAtMs, status } = change;
    const { affectedRows } = await this.transaction.execute(
      `INSERT IGNORE INTO flash_sale (id, product_id, units, limit_per_user, opens_at, closes_at, version, status)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      [saleID, productID, granted, limitPerUser, time(opensAtMs), time(closesAtMs), version, status],
    );
    if (affectedRows === 0) throw conflict(productID, 'the id of the sale is taken');
  }

  private async change(change: ApplySaleRequest): Promise<void> {
    const { productID, saleID, version, granted, withdrawn, limitPerUser, opensAtMs, closesAtMs, status } = change;
    const { affectedRows } = await this.transaction.execute(
      `UPDATE flash_sale SET units = units + ? - ?, limit_per_user = ?, opens_at = ?, closes_at = ?, version = ?, status = ?
        WHERE id = ? AND units + ? <= ?`,
      [
        ...[granted, withdrawn, limitPerUser, time(opensAtMs), time(closesAtMs), version, status],
        ...[saleID, granted, MAX],
      ],
    );
    if (affectedRows === 0) throw conflict(productID, 'so many units cannot be kept in the books');
  }
}

/** 0 for no time, and for a zero date, which is none: a change of the sale then puts it right. */
function milliseconds(time: Date | null): number {
  return time?.getTime() || 0;
}

function time(ms: number): Date | null {
  return ms === 0 ? null : new Date(ms);
}

function conflict(productID: number, why: string): ContractError {
  return new ContractError('CONFLICT', `the flash sale of product ${productID} was not changed: ${why}`);
}
