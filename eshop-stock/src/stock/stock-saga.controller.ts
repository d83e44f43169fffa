import { DtmBranches } from '@eshop/nest-dtm';
import {
  type ApplySaleReply,
  type ApplySaleRequest,
  type StockDeductReply,
  type StockDeductRequest,
  type StockDeductRevertReply,
  type StockDeductRevertRequest,
  StockSaga,
} from '@eshop/proto/stock';
import { SaleBooks } from '../sale/sale-books.js';
import { StockLedger } from './stock-ledger.js';

/** The branches that concern stock: of order sagas, and of the change of a flash sale. Only signed calls reach them, each at most once. */
@StockSaga()
@DtmBranches()
export class StockSagaController implements StockSaga {
  constructor(
    private readonly ledger: StockLedger,
    private readonly sales: SaleBooks,
  ) {}

  async stockDeduct({ productID, productCount, saleID }: StockDeductRequest): Promise<StockDeductReply> {
    await this.ledger.take(productID, productCount, saleID);
    return {};
  }

  async stockDeductRevert({
    productID,
    productCount,
    saleID,
  }: StockDeductRevertRequest): Promise<StockDeductRevertReply> {
    await this.ledger.giveBack(productID, productCount, saleID);
    return {};
  }

  async applySale(request: ApplySaleRequest): Promise<ApplySaleReply> {
    await this.sales.apply(request);
    return {};
  }
}
