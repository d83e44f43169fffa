import {
  FlashSaleApi,
  type FlashSaleReply,
  type FlashSaleRequest,
  type GetByOrderIDReply,
  type GetByOrderIDRequest,
  type GetSaleReply,
  type GetSaleRequest,
  type RebuildSaleReply,
  type RebuildSaleRequest,
} from '@eshop/proto/flashsale';
import { Purchases } from './purchase/purchases.js';
import { SaleCounters } from './sale/sale-counters.js';
import { SaleRebuild } from './sale/sale-rebuild.js';

/** The public API of the flash sale service. */
@FlashSaleApi()
export class FlashSaleController implements FlashSaleApi {
  constructor(
    private readonly purchases: Purchases,
    private readonly counters: SaleCounters,
    private readonly rebuilds: SaleRebuild,
  ) {}

  flashSale(request: FlashSaleRequest): Promise<FlashSaleReply> {
    return this.purchases.buy(request);
  }

  getByOrderID({ orderID }: GetByOrderIDRequest): Promise<GetByOrderIDReply> {
    return this.counters.findOrder(orderID);
  }

  getSale({ productID }: GetSaleRequest): Promise<GetSaleReply> {
    return this.counters.get(productID);
  }

  rebuildSale({ productID }: RebuildSaleRequest): Promise<RebuildSaleReply> {
    return this.rebuilds.rebuild(productID);
  }
}
