import { InjectConfig } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import { CouponClient, CouponStatus } from '@eshop/proto/coupon';
import type { SubmitOrderRequest } from '@eshop/proto/order';
import { Injectable } from '@nestjs/common';
import type { OrderConfig } from '../config.js';
import { ProductPrices } from './product-prices.js';

/** What an order costs. All figures are cents. */
export interface Price {
  /** Unit price; 0 when the client's amount was taken as given. */
  readonly price: number;
  readonly couponAmount: number;
  readonly amount: number;
}

const MAX_AMOUNT = 0xffff_ffff;

/** Computes what an order costs from the product's price and the coupon's value, and refuses what cannot be sold so. */
@Injectable()
export class Pricing {
  constructor(
    private readonly prices: ProductPrices,
    private readonly coupons: CouponClient,
    @InjectConfig() private readonly config: OrderConfig,
  ) {}

  /**
   * Throws PRODUCT_NOT_FOUND, COUPON_NOT_FOUND, COUPON_NOT_OWNED, COUPON_ALREADY_USED, COUPON_EXPIRED,
   * COUPON_VALUE_TOO_HIGH, AMOUNT_TOO_LARGE, or, where the setting `order.amount` is `verify`, AMOUNT_MISMATCH.
   */
  async priceOf(order: SubmitOrderRequest): Promise<Price> {
    const [price, couponAmount] = await Promise.all([
      this.prices.of(order.productID),
      order.couponID > 0 ? this.couponValue(order.couponID, order.userID) : 0,
    ]);
    if (this.config.order.amount === 'trust') return { price: 0, couponAmount, amount: order.amount };

    const total = price * order.productCount;
    if (total > MAX_AMOUNT) {
      throw new ContractError(
        'AMOUNT_TOO_LARGE',
        `${order.productCount} units at ${price} cents are more than an order can be`,
      );
    }
    const amount = total - couponAmount;
    if (amount <= 0) {
      throw new ContractError(
        'COUPON_VALUE_TOO_HIGH',
        `a coupon over ${couponAmount} cents leaves nothing to pay of ${total}`,
      );
    }
    if (this.config.order.amount === 'verify' && order.amount !== amount) {
      throw new ContractError('AMOUNT_MISMATCH', `the order costs ${amount} cents, not ${order.amount}`);
    }
    return { price, couponAmount, amount };
  }

  /** The coupon's value, if this user may use it now. The branch that uses it checks the same again, under lock. */
  private async couponValue(couponID: number, userID: number): Promise<number> {
    const { coupon } = await this.coupons.getByID({ id: couponID });
    if (!coupon) throw new ContractError('COUPON_NOT_FOUND', `coupon ${couponID} does not exist`);
    if (coupon.userID !== userID) throw new ContractError('COUPON_NOT_OWNED', `coupon ${couponID} is another user's`);
    if (coupon.status === CouponStatus.USED) {
      throw new ContractError('COUPON_ALREADY_USED', `coupon ${couponID} has been used`);
    }
    if (coupon.status === CouponStatus.EXPIRED)
      throw new ContractError('COUPON_EXPIRED', `coupon ${couponID} has expired`);
    return coupon.amount;
  }
}
