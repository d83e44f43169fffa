import { EventEmitter, once } from 'node:events';
import { ContractError } from '@eshop/proto';
import * as proto from '@eshop/proto/stock';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import type { Repository } from 'typeorm';
import { requestContext } from '../../src/index.js';
import { Crud, InjectRepository, messageOf, Sql } from '../../src/mysql/index.js';
import { Stock } from './stock.entity.js';

@proto.StockApi()
export class StockController implements proto.StockApi {
  private readonly crud: Crud<Stock>;
  private readonly message = messageOf('stock', proto.stockColumns);

  constructor(@InjectRepository(Stock) stocks: Repository<Stock>) {
    this.crud = new Crud(stocks, { notFound: 'STOCK_NOT_FOUND', columns: proto.stockColumns });
  }

  async create({ productID, stock }: proto.CreateStockRequest): Promise<proto.CreateStockReply> {
    return this.crud.create({ productID, stock });
  }

  async deleteByID({ id }: proto.DeleteStockByIDRequest): Promise<proto.DeleteStockByIDReply> {
    return this.crud.remove(id);
  }

  async updateByID({ id, productID, stock }: proto.UpdateStockByIDRequest): Promise<proto.UpdateStockByIDReply> {
    return this.crud.update(id, { productID, stock });
  }

  async getByID({ id }: proto.GetStockByIDRequest): Promise<proto.GetStockByIDReply> {
    return { stock: this.message(await this.crud.get(id)) };
  }

  async list({ params }: proto.ListStockRequest): Promise<proto.ListStockReply> {
    const { total, rows } = await this.crud.list(params);
    return { total, stocks: rows.map(this.message) };
  }

  async setFlashSaleStock(_request: proto.SetFlashSaleStockRequest): Promise<proto.SetFlashSaleStockReply> {
    throw new RpcException({ code: 9, message: 'not yet' });
  }

  async getFlashSale(_request: proto.GetFlashSaleRequest): Promise<proto.GetFlashSaleReply> {
    throw new ContractError('NOT_FOUND');
  }

  async listFlashSale(_request: proto.ListFlashSaleRequest): Promise<proto.ListFlashSaleReply> {
    return { total: 0, flashSales: [] };
  }

  async updateFlashSale(_request: proto.UpdateFlashSaleRequest): Promise<proto.UpdateFlashSaleReply> {
    return {};
  }

  async deleteFlashSale(_request: proto.DeleteFlashSaleRequest): Promise<proto.DeleteFlashSaleReply> {
    return {};
  }
}

/** Lets specs look into and hold up a call. */
@Injectable()
export class Probe extends EventEmitter {
  readonly seen: unknown[] = [];
  /** Calls of stockDeduct wait for the event `go` while this is set. */
  hold = false;
}

/** Faults to order: stockDeduct behaves after its productID. */
@proto.StockSaga()
export class FaultController implements proto.StockSaga {
  constructor(
    private readonly probe: Probe,
    private readonly sql: Sql,
  ) {}

  async stockDeduct({ productID }: proto.StockDeductRequest): Promise<proto.StockDeductReply> {
    this.probe.seen.push(requestContext());
    if (this.probe.seen.length > 100) this.probe.seen.shift();
    this.probe.emit('called');
    if (this.probe.hold) await once(this.probe, 'go');
    if (productID === 1)
      throw new ContractError('STOCK_INSUFFICIENT', 'half a pair \ud83d', { metadata: { left: '3' } });
    if (productID === 2) throw new Error('a secret of the inside');
    if (productID === 3) await this.sql.query('SELECT nonsense FROM nowhere');
    if (productID === 4)
      await this.sql.transaction((tx) => tx.query('SELECT * FROM note').then(() => tx.run('KILL CONNECTION_ID()')));
    return {};
  }

  async stockDeductRevert(_request: proto.StockDeductRevertRequest): Promise<proto.StockDeductRevertReply> {
    return {};
  }

  async applySale(_request: proto.ApplySaleRequest): Promise<proto.ApplySaleReply> {
    return {};
  }
}
