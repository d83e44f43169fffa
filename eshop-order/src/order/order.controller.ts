import {
  type DeleteOrderByIDReply,
  type DeleteOrderByIDRequest,
  type GetByOrderIDReply,
  type GetByOrderIDRequest,
  type GetOrderByIDReply,
  type GetOrderByIDRequest,
  type ListOrderReply,
  type ListOrderRequest,
  OrderApi,
  type SaleOrdersReply,
  type SaleOrdersRequest,
  type SendSubmitOrderNotifyReply,
  type SendSubmitOrderNotifyRequest,
  type SubmitOrderReply,
  type SubmitOrderRequest,
  type UpdateOrderByIDReply,
  type UpdateOrderByIDRequest,
} from '@eshop/proto/order';
import { QueuedSubmit } from '../queue/queued-submit.js';
import { OrderPlacement } from '../submission/order-placement.js';
import { OrderState } from '../submission/order-state.js';
import { SaleOrders } from '../submission/sale-orders.js';
import { OrderRecords } from './order-records.js';

/** The public API of the order service. */
@OrderApi()
export class OrderController implements OrderApi {
  constructor(
    private readonly placement: OrderPlacement,
    private readonly queue: QueuedSubmit,
    private readonly state: OrderState,
    private readonly sales: SaleOrders,
    private readonly records: OrderRecords,
  ) {}

  submit(request: SubmitOrderRequest): Promise<SubmitOrderReply> {
    return this.placement.submit(request);
  }

  sendSubmitOrderNotify(request: SendSubmitOrderNotifyRequest): Promise<SendSubmitOrderNotifyReply> {
    return this.queue.submit(request);
  }

  getByOrderID({ orderID }: GetByOrderIDRequest): Promise<GetByOrderIDReply> {
    return this.state.of(orderID);
  }

  saleOrders(request: SaleOrdersRequest): Promise<SaleOrdersReply> {
    return this.sales.of(request);
  }

  deleteByID({ id }: DeleteOrderByIDRequest): Promise<DeleteOrderByIDReply> {
    return this.records.deleteByID(id);
  }

  updateByID(request: UpdateOrderByIDRequest): Promise<UpdateOrderByIDReply> {
    return this.records.updateByID(request);
  }

  getByID({ id }: GetOrderByIDRequest): Promise<GetOrderByIDReply> {
    return this.records.getByID(id);
  }

  list({ params }: ListOrderRequest): Promise<ListOrderReply> {
    return this.records.list(params);
  }
}
