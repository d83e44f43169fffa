import { Crud, InjectRepository, messageOf, Sql } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import {
  type CreateStockReply,
  type CreateStockRequest,
  type DeleteStockByIDReply,
  type GetStockByIDReply,
  type ListStockReply,
  type ListStockRequest,
  stockColumns,
  type UpdateStockByIDReply,
  type UpdateStockByIDRequest,
} from '@eshop/proto/stock';
import { Injectable } from '@nestjs/common';
import type { Repository } from 'typeorm';
import { Stock } from './stock.entity.js';

interface Units {
  product_id: number;
  stock: number;
  initial: number;
  allotted: number;
  sale_id: number;
}

/** Units in stock, as people manage them. What orders take and give back is the ledger's matter. */
@Injectable()
export class StockService {
  private readonly crud: Crud<Stock>;
  private readonly message = messageOf('stock', stockColumns);

  constructor(
    @InjectRepository(Stock) stocks: Repository<Stock>,
    private readonly sql: Sql,
  ) {
    this.crud = new Crud(stocks, { notFound: 'STOCK_NOT_FOUND', columns: stockColumns, duplicate: 'ALREADY_EXISTS' });
  }

  create({ productID, stock }: CreateStockRequest): Promise<CreateStockReply> {
    return this.crud.create({ productID, stock, initial: stock });
  }

  /** Deletes a product's stock. Throws IN_USE while units of it are in live orders or a sale: their books would be lost. */
  async deleteByID(id: number): Promise<DeleteStockByIDReply> {
    const { affectedRows } = await this.sql.run('DELETE FROM stock WHERE id = ? AND stock = initial AND sale_id = 0', [
      id,
    ]);
    if (affectedRows === 0) {
      await this.crud.get(id);
      throw new ContractError('IN_USE', `units of stock ${id} are in orders or in a flash sale`);
    }
    return {};
  }

  /**
   * Sets the units in stock by hand; the units ever supplied move along, so that the books stay right. Throws IN_USE for
   * fewer units than a flash sale has of them.
   */
  async updateByID({ id, productID, stock }: UpdateStockByIDRequest): Promise<UpdateStockByIDReply> {
    await this.sql.transaction(async (tx) => {
      const [row] = await tx.query<Units>(
        'SELECT product_id, stock, initial, allotted, sale_id FROM stock WHERE id = ? FOR UPDATE',
        [id],
      );
      if (!row) throw new ContractError('STOCK_NOT_FOUND', `stock ${id} does not exist`);
      const inUse = row.stock !== row.initial || row.sale_id !== 0;
      if (productID !== undefined && productID !== row.product_id && inUse) {
        throw new ContractError('FIELD_IMMUTABLE', `units of stock ${id} are in orders or a sale of ${row.product_id}`);
      }
      const units = stock ?? row.stock;
      if (units < row.allotted) {
        throw new ContractError('IN_USE', `${row.allotted} units of stock ${id} are allotted to a flash sale`);
      }
      await tx.run('UPDATE stock SET product_id = ?, stock = ?, initial = ? WHERE id = ?', [
        productID ?? row.product_id,
        units,
        row.initial - row.stock + units,
        id,
      ]);
    });
    return {};
  }

  async getByID(id: number): Promise<GetStockByIDReply> {
    return { stock: this.message(await this.crud.get(id)) };
  }

  async list(params: ListStockRequest['params']): Promise<ListStockReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, stocks: rows.map(this.message) };
  }
}
