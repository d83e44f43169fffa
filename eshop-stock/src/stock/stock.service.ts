import { Crud, InjectRepository, Sql, timestamps } from '@eshop/nest-service/mysql';
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
}

/** Units in stock, as people manage them. What orders take and give back is the ledger's matter. */
@Injectable()
export class StockService {
  private readonly crud: Crud<Stock>;

  constructor(
    @InjectRepository(Stock) stocks: Repository<Stock>,
    private readonly sql: Sql,
  ) {
    this.crud = new Crud(stocks, { notFound: 'STOCK_NOT_FOUND', columns: stockColumns, duplicate: 'ALREADY_EXISTS' });
  }

  create({ productID, stock }: CreateStockRequest): Promise<CreateStockReply> {
    return this.crud.create({ productID, stock, initial: stock });
  }

  /** Deletes a product's stock. Throws IN_USE while units of it are in live orders: their books would be lost. */
  async deleteByID(id: number): Promise<DeleteStockByIDReply> {
    const { affectedRows } = await this.sql.run('DELETE FROM stock WHERE id = ? AND stock = initial', [id]);
    if (affectedRows === 0) {
      await this.crud.get(id);
      throw new ContractError('IN_USE', `units of stock ${id} are in orders`);
    }
    return {};
  }

  /** Sets the units in stock by hand; the units ever supplied move along, so that the books stay right. */
  async updateByID({ id, productID, stock }: UpdateStockByIDRequest): Promise<UpdateStockByIDReply> {
    await this.sql.transaction(async (tx) => {
      const [row] = await tx.query<Units>('SELECT product_id, stock, initial FROM stock WHERE id = ? FOR UPDATE', [id]);
      if (!row) throw new ContractError('STOCK_NOT_FOUND', `stock ${id} does not exist`);
      if (productID !== undefined && productID !== row.product_id && row.stock !== row.initial) {
        throw new ContractError('FIELD_IMMUTABLE', `units of stock ${id} are in orders of product ${row.product_id}`);
      }
      const units = stock ?? row.stock;
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
    return { stock: timestamps(await this.crud.get(id)) };
  }

  async list(params: ListStockRequest['params']): Promise<ListStockReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, stocks: rows.map(timestamps) };
  }
}
