import { DtmService, type Saga } from '@eshop/nest-dtm';
import { InjectConfig } from '@eshop/nest-service';
import { CouponService } from '@eshop/proto/coupon';
import { OrderService } from '@eshop/proto/order';
import { PayService } from '@eshop/proto/pay';
import { StockService } from '@eshop/proto/stock';
import { Injectable } from '@nestjs/common';
import type { OrderConfig } from '../config.js';
import type { Submission } from './submission.js';

/**
 * The saga that carries an order out: its row, the units, the coupon if there is one, and last the payment. An order of a flash
 * sale has its row since it was accepted, which spares the saga a third of its branches where orders come fastest.
 */
@Injectable()
export class OrderSagas {
  constructor(
    private readonly dtm: DtmService,
    @InjectConfig() private readonly config: OrderConfig,
  ) {}

  /** The saga of a submission. The same submission always gives the same saga, so that it can be submitted again. */
  of(submission: Submission): Saga {
    const { orderID, userID, productID, productCount, amount, couponID, price, couponAmount, saleID, requestID } =
      submission;
    const order = { orderID, userID, productID, amount, productCount, couponID, price, couponAmount, saleID };
    const saga = this.dtm.saga(orderID, {
      timeoutToFail: this.config.order.sagaTimeoutSeconds,
      retryInterval: this.config.order.sagaRetrySeconds,
      headers: { request_id: requestID },
    });
    if (saleID === 0) saga.step(OrderService.create, OrderService.createRevert, order);
    saga.step(StockService.stockDeduct, StockService.stockDeductRevert, { productID, productCount, saleID });
    if (couponID > 0) {
      saga.step(CouponService.couponUse, CouponService.couponUseRevert, { couponID, userID, amount: couponAmount });
    }
    return saga.step(PayService.create, PayService.createRevert, { userID, orderID, amount });
  }
}
