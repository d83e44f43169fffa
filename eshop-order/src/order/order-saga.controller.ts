import { DtmBranches } from '@eshop/nest-dtm';
import {
  type CreateOrderReply,
  type CreateOrderRequest,
  type CreateOrderRevertReply,
  type CreateOrderRevertRequest,
  OrderSaga,
} from '@eshop/proto/order';
import { OrderBook } from './order-book.js';

/** The branches of the order saga that concern the order row. Only signed calls reach them, each at most once per order. */
@OrderSaga()
@DtmBranches()
export class OrderSagaController implements OrderSaga {
  constructor(private readonly book: OrderBook) {}

  async create(request: CreateOrderRequest): Promise<CreateOrderReply> {
    await this.book.enter(request);
    return {};
  }

  async createRevert({ orderID }: CreateOrderRevertRequest): Promise<CreateOrderRevertReply> {
    await this.book.cancel(orderID);
    return {};
  }
}
