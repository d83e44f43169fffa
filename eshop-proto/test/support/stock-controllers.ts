import { ContractError } from '@eshop/proto';
import {
  type ApplySaleReply,
  type ApplySaleRequest,
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
  type StockDeductReply,
  type StockDeductRequest,
  type StockDeductRevertReply,
  type StockDeductRevertRequest,
  StockSaga,
  type UpdateFlashSaleReply,
  type UpdateFlashSaleRequest,
  type UpdateStockByIDReply,
  type UpdateStockByIDRequest,
} from '@eshop/proto/stock';

/** What the controllers were called with, newest last. */
export const calls: { method: string; request: object }[] = [];

function record(method: string, request: object): void {
  calls.push({ method, request });
}

@StockApi()
export class StockController {
  async setFlashSaleStock(request: SetFlashSaleStockRequest): Promise<SetFlashSaleStockReply> {
    record('setFlashSaleStock', request);
    return {};
  }

  async create(request: CreateStockRequest): Promise<CreateStockReply> {
    record('create', request);
    return { id: 7 };
  }

  async deleteByID(request: DeleteStockByIDRequest): Promise<DeleteStockByIDReply> {
    record('deleteByID', request);
    return {};
  }

  async updateByID(request: UpdateStockByIDRequest): Promise<UpdateStockByIDReply> {
    record('updateByID', request);
    return {};
  }

  async getByID(request: GetStockByIDRequest): Promise<GetStockByIDReply> {
    record('getByID', request);
    throw new ContractError('STOCK_NOT_FOUND');
  }

  async list(request: ListStockRequest): Promise<ListStockReply> {
    record('list', request);
    return { total: 0, stocks: [] };
  }

  async getFlashSale(request: GetFlashSaleRequest): Promise<GetFlashSaleReply> {
    record('getFlashSale', request);
    throw new ContractError('NOT_FOUND');
  }

  async listFlashSale(request: ListFlashSaleRequest): Promise<ListFlashSaleReply> {
    record('listFlashSale', request);
    return { total: 0, flashSales: [] };
  }

  async updateFlashSale(request: UpdateFlashSaleRequest): Promise<UpdateFlashSaleReply> {
    record('updateFlashSale', request);
    return {};
  }

  async deleteFlashSale(request: DeleteFlashSaleRequest): Promise<DeleteFlashSaleReply> {
    record('deleteFlashSale', request);
    return {};
  }
}

abstract class Revert {
  async stockDeductRevert(request: StockDeductRevertRequest): Promise<StockDeductRevertReply> {
    record('stockDeductRevert', request);
    return {};
  }
}

/** Methods of its own, and one inherited. */
@StockSaga()
export class StockSagaController extends Revert {
  async stockDeduct(request: StockDeductRequest): Promise<StockDeductReply> {
    record('stockDeduct', request);
    return {};
  }

  async applySale(request: ApplySaleRequest): Promise<ApplySaleReply> {
    record('applySale', request);
    return {};
  }
}
