import {
  CouponClient,
  type CreateCouponReply,
  type CreateCouponRequest,
  type ListCouponReply,
} from '@eshop/proto/coupon';
import { FlashSaleClient, type FlashSaleReply, type FlashSaleRequest } from '@eshop/proto/flashsale';
import {
  EshopApi,
  type GetOrderReply,
  type GetOrderRequest,
  type GetPayReply,
  type GetPayRequest,
  type PageParam,
} from '@eshop/proto/gateway';
import {
  type ListOrderReply,
  OrderClient,
  type SendSubmitOrderNotifyReply,
  type SendSubmitOrderNotifyRequest,
  type SubmitOrderReply,
  type SubmitOrderRequest,
} from '@eshop/proto/order';
import { PayClient } from '@eshop/proto/pay';
import {
  type CreateProductReply,
  type CreateProductRequest,
  type GetProductByIDReply,
  type GetProductByIDRequest,
  type ListProductReply,
  ProductClient,
} from '@eshop/proto/product';
import {
  type CreateStockReply,
  type CreateStockRequest,
  type ListStockReply,
  type SetFlashSaleStockReply,
  type SetFlashSaleStockRequest,
  StockClient,
} from '@eshop/proto/stock';
import { type CreateUserReply, type CreateUserRequest, type ListUserReply, UserClient } from '@eshop/proto/user';
import { clientReason } from './client-reason.js';
import { OrderLookup } from './order-lookup.js';
import { pageOf } from './page.js';
import { SoldOut } from './sold-out.js';

/** What the shop shows to the world: each route passes one call on to the service it belongs to. */
@EshopApi()
export class GatewayController implements EshopApi {
  constructor(
    private readonly users: UserClient,
    private readonly products: ProductClient,
    private readonly orders: OrderClient,
    private readonly stocks: StockClient,
    private readonly coupons: CouponClient,
    private readonly pays: PayClient,
    private readonly flashSales: FlashSaleClient,
    private readonly lookup: OrderLookup,
    private readonly soldOut: SoldOut,
  ) {}

  createUser(request: CreateUserRequest): Promise<CreateUserReply> {
    return this.users.create(request);
  }

  listUser(request: PageParam): Promise<ListUserReply> {
    return this.users.list(pageOf(request));
  }

  createProduct(request: CreateProductRequest): Promise<CreateProductReply> {
    return this.products.create(request);
  }

  listProduct(request: PageParam): Promise<ListProductReply> {
    return this.products.list(pageOf(request));
  }

  getProduct(request: GetProductByIDRequest): Promise<GetProductByIDReply> {
    return this.products.getByID(request);
  }

  async submitOrder(request: SubmitOrderRequest): Promise<SubmitOrderReply> {
    const { reason, ...reply } = await this.orders.submit(request);
    return { ...reply, reason: clientReason(reason) };
  }

  sendSubmitOrderNotify(request: SendSubmitOrderNotifyRequest): Promise<SendSubmitOrderNotifyReply> {
    return this.orders.sendSubmitOrderNotify(request);
  }

  listOrder(request: PageParam): Promise<ListOrderReply> {
    return this.orders.list(pageOf(request));
  }

  getOrder({ orderID }: GetOrderRequest): Promise<GetOrderReply> {
    return this.lookup.find(orderID);
  }

  getPay({ orderID }: GetPayRequest): Promise<GetPayReply> {
    return this.pays.getByOrderID({ orderID });
  }

  createCoupon(request: CreateCouponRequest): Promise<CreateCouponReply> {
    return this.coupons.create(request);
  }

  listCoupon(request: PageParam): Promise<ListCouponReply> {
    return this.coupons.list(pageOf(request));
  }

  createStock(request: CreateStockRequest): Promise<CreateStockReply> {
    return this.stocks.create(request);
  }

  listStock(request: PageParam): Promise<ListStockReply> {
    return this.stocks.list(pageOf(request));
  }

  setFlashSaleStock(request: SetFlashSaleStockRequest): Promise<SetFlashSaleStockReply> {
    return this.soldOut.changing(request.productID, () => this.stocks.setFlashSaleStock(request));
  }

  flashSale(request: FlashSaleRequest): Promise<FlashSaleReply> {
    return this.soldOut.unless(request.productID, () => this.flashSales.flashSale(request));
  }
}
