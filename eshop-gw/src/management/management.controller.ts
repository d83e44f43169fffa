import {
  CouponClient,
  type DeleteCouponByIDReply,
  type DeleteCouponByIDRequest,
  type GetCouponByIDReply,
  type GetCouponByIDRequest,
  type UpdateCouponByIDReply,
  type UpdateCouponByIDRequest,
} from '@eshop/proto/coupon';
import type { PageParam } from '@eshop/proto/gateway';
import { ManagementApi } from '@eshop/proto/management';
import {
  type DeleteOrderByIDReply,
  type DeleteOrderByIDRequest,
  OrderClient,
  type UpdateOrderByIDReply,
  type UpdateOrderByIDRequest,
} from '@eshop/proto/order';
import { type GetPayByIDReply, type GetPayByIDRequest, type ListPayReply, PayClient } from '@eshop/proto/pay';
import {
  type DeleteProductByIDReply,
  type DeleteProductByIDRequest,
  ProductClient,
  type UpdateProductByIDReply,
  type UpdateProductByIDRequest,
} from '@eshop/proto/product';
import {
  type DeleteFlashSaleReply,
  type DeleteFlashSaleRequest,
  type DeleteStockByIDReply,
  type DeleteStockByIDRequest,
  type GetFlashSaleReply,
  type GetFlashSaleRequest,
  type GetStockByIDReply,
  type GetStockByIDRequest,
  type ListFlashSaleReply,
  StockClient,
  type UpdateFlashSaleReply,
  type UpdateFlashSaleRequest,
  type UpdateStockByIDReply,
  type UpdateStockByIDRequest,
} from '@eshop/proto/stock';
import {
  type DeleteUserByIDReply,
  type DeleteUserByIDRequest,
  type GetUserByIDReply,
  type GetUserByIDRequest,
  type UpdateUserByIDReply,
  type UpdateUserByIDRequest,
  UserClient,
} from '@eshop/proto/user';
import { pageOf } from '../gateway/page.js';

/** What those who run the shop may do besides: each route passes one call on to the service it belongs to. */
@ManagementApi()
export class ManagementController implements ManagementApi {
  constructor(
    private readonly users: UserClient,
    private readonly products: ProductClient,
    private readonly orders: OrderClient,
    private readonly stocks: StockClient,
    private readonly coupons: CouponClient,
    private readonly pays: PayClient,
  ) {}

  getUser(request: GetUserByIDRequest): Promise<GetUserByIDReply> {
    return this.users.getByID(request);
  }

  updateUser(request: UpdateUserByIDRequest): Promise<UpdateUserByIDReply> {
    return this.users.updateByID(request);
  }

  deleteUser(request: DeleteUserByIDRequest): Promise<DeleteUserByIDReply> {
    return this.users.deleteByID(request);
  }

  updateProduct(request: UpdateProductByIDRequest): Promise<UpdateProductByIDReply> {
    return this.products.updateByID(request);
  }

  deleteProduct(request: DeleteProductByIDRequest): Promise<DeleteProductByIDReply> {
    return this.products.deleteByID(request);
  }

  getStock(request: GetStockByIDRequest): Promise<GetStockByIDReply> {
    return this.stocks.getByID(request);
  }

  updateStock(request: UpdateStockByIDRequest): Promise<UpdateStockByIDReply> {
    return this.stocks.updateByID(request);
  }

  deleteStock(request: DeleteStockByIDRequest): Promise<DeleteStockByIDReply> {
    return this.stocks.deleteByID(request);
  }

  getFlashSale(request: GetFlashSaleRequest): Promise<GetFlashSaleReply> {
    return this.stocks.getFlashSale(request);
  }

  listFlashSale(request: PageParam): Promise<ListFlashSaleReply> {
    return this.stocks.listFlashSale(pageOf(request));
  }

  updateFlashSale(request: UpdateFlashSaleRequest): Promise<UpdateFlashSaleReply> {
    return this.stocks.updateFlashSale(request);
  }

  deleteFlashSale(request: DeleteFlashSaleRequest): Promise<DeleteFlashSaleReply> {
    return this.stocks.deleteFlashSale(request);
  }

  getCoupon(request: GetCouponByIDRequest): Promise<GetCouponByIDReply> {
    return this.coupons.getByID(request);
  }

  updateCoupon(request: UpdateCouponByIDRequest): Promise<UpdateCouponByIDReply> {
    return this.coupons.updateByID(request);
  }

  deleteCoupon(request: DeleteCouponByIDRequest): Promise<DeleteCouponByIDReply> {
    return this.coupons.deleteByID(request);
  }

  updateOrder(request: UpdateOrderByIDRequest): Promise<UpdateOrderByIDReply> {
    return this.orders.updateByID(request);
  }

  deleteOrder(request: DeleteOrderByIDRequest): Promise<DeleteOrderByIDReply> {
    return this.orders.deleteByID(request);
  }

  getPayByID(request: GetPayByIDRequest): Promise<GetPayByIDReply> {
    return this.pays.getByID(request);
  }

  listPay(request: PageParam): Promise<ListPayReply> {
    return this.pays.list(pageOf(request));
  }
}
