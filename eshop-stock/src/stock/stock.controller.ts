import {
  type CreateStockReply,
  type CreateStockRequest,
  type DeleteFlashSaleReply,
  type DeleteFlashSaleRequest,
  type DeleteStockByIDReply,
  type DeleteStockByIDRequest,
  type GetFlashSaleReply,
  type GetFlashSaleRequest,
  type GetStockByIDReply,
  type GetStockByIDRequest,
  type ListFlashSaleReply,
  type ListFlashSaleRequest,
  type ListStockReply,
  type ListStockRequest,
  type SetFlashSaleStockReply,
  type SetFlashSaleStockRequest,
  StockApi,
  type UpdateFlashSaleReply,
  type UpdateFlashSaleRequest,
  type UpdateStockByIDReply,
  type UpdateStockByIDRequest,
} from '@eshop/proto/stock';
import { FlashSaleService } from '../sale/flash-sale.service.js';
import { StockService } from './stock.service.js';

/** The public API of the stock service. */
@StockApi()
export class StockController implements StockApi {
  constructor(
    private readonly stocks: StockService,
    private readonly sales: FlashSaleService,
  ) {}

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

  async setFlashSaleStock(request: SetFlashSaleStockRequest): Promise<SetFlashSaleStockReply> {
    await this.sales.set(request);
    return {};
  }

  getFlashSale({ productID }: GetFlashSaleRequest): Promise<GetFlashSaleReply> {
    return this.sales.get(productID);
  }

  listFlashSale({ params }: ListFlashSaleRequest): Promise<ListFlashSaleReply> {
    return this.sales.list(params);
  }

  async updateFlashSale(request: UpdateFlashSaleRequest): Promise<UpdateFlashSaleReply> {
    await this.sales.update(request);
    return {};
  }

  async deleteFlashSale({ productID }: DeleteFlashSaleRequest): Promise<DeleteFlashSaleReply> {
    await this.sales.end(productID);
    return {};
  }
}
