import { Crud, InjectRepository, messageOf, Sql } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import {
  flashSaleColumns,
  type GetFlashSaleReply,
  type ListFlashSaleReply,
  type ListFlashSaleRequest,
  type SetFlashSaleStockRequest,
  type UpdateFlashSaleRequest,
} from '@eshop/proto/stock';
import { Injectable } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { FlashSale } from './flash-sale.entity.js';
import type { SaleBook } from './sale-books.js';
import { SaleChanges } from './sale-changes.js';
import { NO_TERMS, termsOf } from './sale-terms.js';

interface Units {
  id: number;
  stock: number | null;
  allotted: number | null;
}

/** Flash sales, as people manage them. */
@Injectable()
export class FlashSaleService {
  private readonly crud: Crud<FlashSale>;
  private readonly message = messageOf('flash_sale', flashSaleColumns);

  constructor(
    @InjectRepository(FlashSale) sales: Repository<FlashSale>,
    private readonly sql: Sql,
    private readonly changes: SaleChanges,
  ) {
    this.crud = new Crud(sales, { notFound: 'NOT_FOUND', columns: flashSaleColumns });
  }

  /** The running sale, else the last one that ended. Throws NOT_FOUND when there never was one. */
  async get(productID: number): Promise<GetFlashSaleReply> {
    const [row] = await this.sql.query<Units>(
      `SELECT flash_sale.id, stock, allotted FROM flash_sale LEFT JOIN stock ON stock.product_id = flash_sale.product_id
        WHERE flash_sale.product_id = ? ORDER BY status, flash_sale.id DESC LIMIT 1`,
      [productID],
    );
    if (!row) throw noSale(productID);
    return {
      flashSale: this.message(await this.crud.get(row.id)),
      stock: row.stock ?? 0,
      allotted: row.allotted ?? 0,
    };
  }

  async list(params: ListFlashSaleRequest['params']): Promise<ListFlashSaleReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, flashSales: rows.map(this.message) };
  }

  /** Sets how many units the product has and how many of them are the sale's. Throws as {@link SaleChanges.bring} does. */
  async set({ productID, stock, allotted = stock, ...given }: SetFlashSaleStockRequest): Promise<void> {
    if (allotted > stock) {
      const description = `must be ${stock} at most, the units that the product has`;
      throw new ContractError('INVALID_PARAMETER', undefined, {
        violations: [{ field: 'allotted', rule: 'uint32.lte', description }],
      });
    }
    // What is wrong in itself is told before anything is looked up.
    termsOf(given, NO_TERMS);
    await this.changes.bring(productID, (book) => ({
      stock,
      allotted,
      ended: allotted === 0,
      terms: termsOf(given, book.terms),
    }));
  }

  /** Changes the terms of a running sale. Throws NOT_FOUND, and as {@link SaleChanges.bring} does. */
  async update({ productID, ...given }: UpdateFlashSaleRequest): Promise<void> {
    await this.changes.bring(productID, (book) => {
      const { allotted, terms } = running(book);
      return { allotted, ended: false, terms: termsOf(given, terms) };
    });
  }

  /** Ends a running sale. Throws NOT_FOUND, and as {@link SaleChanges.bring} does. */
  async end(productID: number): Promise<void> {
    await this.changes.bring(productID, (book) => ({ allotted: 0, ended: true, terms: running(book).terms }));
  }
}

function running(book: SaleBook): SaleBook {
  if (book.saleID === 0) throw noSale(book.productID);
  return book;
}

function noSale(productID: number): ContractError {
  return new ContractError('NOT_FOUND', `product ${productID} has no flash sale`);
}
