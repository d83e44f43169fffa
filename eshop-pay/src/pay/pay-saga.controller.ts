import { DtmBranches } from '@eshop/nest-dtm';
import {
  type CreatePayReply,
  type CreatePayRequest,
  type CreatePayRevertReply,
  type CreatePayRevertRequest,
  PaySaga,
} from '@eshop/proto/pay';
import { PayLedger } from './pay-ledger.js';

/** The branches of the order saga that concern payments. Only signed calls reach them, each at most once per order. */
@PaySaga()
@DtmBranches()
export class PaySagaController implements PaySaga {
  constructor(private readonly ledger: PayLedger) {}

  async create({ orderID, userID, amount }: CreatePayRequest): Promise<CreatePayReply> {
    return { id: await this.ledger.open(orderID, userID, amount) };
  }

  async createRevert({ orderID }: CreatePayRevertRequest): Promise<CreatePayRevertReply> {
    await this.ledger.cancel(orderID);
    return {};
  }
}
