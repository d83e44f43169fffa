import {
  type DeletePayByIDReply,
  type DeletePayByIDRequest,
  type GetPayByIDReply,
  type GetPayByIDRequest,
  type GetPayByOrderIDReply,
  type GetPayByOrderIDRequest,
  type ListPayReply,
  type ListPayRequest,
  PayApi,
  type UpdatePayByIDReply,
  type UpdatePayByIDRequest,
} from '@eshop/proto/pay';
import { PayService } from './pay.service.js';

/** The public API of the pay service. Payments are opened by orders only. */
@PayApi()
export class PayController implements PayApi {
  constructor(private readonly pays: PayService) {}

  deleteByID({ id }: DeletePayByIDRequest): Promise<DeletePayByIDReply> {
    return this.pays.deleteByID(id);
  }

  updateByID(request: UpdatePayByIDRequest): Promise<UpdatePayByIDReply> {
    return this.pays.updateByID(request);
  }

  getByID({ id }: GetPayByIDRequest): Promise<GetPayByIDReply> {
    return this.pays.getByID(id);
  }

  getByOrderID({ orderID }: GetPayByOrderIDRequest): Promise<GetPayByOrderIDReply> {
    return this.pays.getByOrderID(orderID);
  }

  list({ params }: ListPayRequest): Promise<ListPayReply> {
    return this.pays.list(params);
  }
}
