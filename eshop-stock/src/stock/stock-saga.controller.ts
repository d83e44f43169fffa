import { DtmBranches } from '@eshop/nest-dtm';
import { ContractError } from '@eshop/proto';
import {
  type ApplySaleReply,
  type StockDeductReply,
  type StockDeductRequest,
  type StockDeductRevertReply,
  type StockDeductRevertRequest,
  StockSaga,
} from '@eshop/proto/stock';
import { StockLedger } from './stock-ledger.js';

/** The branches of the order saga that concern stock. Only signed calls reach them, each at most once per order. */
@StockSaga()
@DtmBranches()
export class StockSagaController implements StockSaga {
  constructor(private readonly ledger: StockLedger) {}

  async stockDeduct({ productID, productCount }: StockDeductRequest): Promise<StockDeductReply> {
    await this.ledger.take(productID, productCount);
    return {};
  }

  async stockDeductRevert({ productID, productCount }: StockDeductRevertRequest): Promise<StockDeductRevertReply> {
    await this.ledger.giveBack(productID, productCount);
    return {};
  }

  async applySale(): Promise<ApplySaleReply> {
    throw new ContractError('UNIMPLEMENTED', 'flash sales are not part of this version');
  }
}
