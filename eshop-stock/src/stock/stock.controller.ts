import { ContractError } from '@eshop/proto';
import {
  type CreateStockReply,
  type CreateStockRequest,
  type DeleteFlashSaleReply,
  type DeleteStockByIDReply,
  type DeleteStockByIDRequest,
  type GetFlashSaleReply,
  type GetStockByIDReply,
  type GetStockByIDRequest,
  type ListFlashSaleReply,
  type ListStockReply,
  type ListStockRequest,
  type SetFlashSaleStockReply,
  StockApi,
  type UpdateFlashSaleReply,
  type UpdateStockByIDReply,
  type UpdateStockByIDRequest,
} from '@eshop/proto/stock';
import { StockService } from './stock.service.js';

/** The public API of the stock service. */
@StockApi()
export class StockController implements StockApi {
  constructor(private readonly stocks: StockService) {}

  create(request: CreateStockRequest): Promise<CreateStockReply> {
    return this.stocks.create(request);
  }

  deleteByID({ id }: DeleteStockByIDRequest): Promise<DeleteStockByIDReply> {
    return this.stocks.deleteByID(id);
  }

  updateByID(request: UpdateStockByIDRequest): Promise<UpdateStockByIDReply> {
    return this.stocks.updateByID(request);
  }

  getByID({ id }: GetStockByIDRequest): Promise<GetStockByIDReply> {
    return this.stocks.getByID(id);
  }

  list({ params }: ListStockRequest): Promise<ListStockReply> {
    return this.stocks.list(params);
  }

  async setFlashSaleStock(): Promise<SetFlashSaleStockReply> {
    throw noFlashSales();
  }

  async getFlashSale(): Promise<GetFlashSaleReply> {
    throw noFlashSales();
  }

  async listFlashSale(): Promise<ListFlashSaleReply> {
    throw noFlashSales();
  }

  async updateFlashSale(): Promise<UpdateFlashSaleReply> {
    throw noFlashSales();
  }

  async deleteFlashSale(): Promise<DeleteFlashSaleReply> {
    throw noFlashSales();
  }
}

function noFlashSales(): ContractError {
  return new ContractError('UNIMPLEMENTED', 'flash sales are not part of this version');
}
