import { DtmBranches } from '@eshop/nest-dtm';
import {
  CouponSaga,
  type CouponUseReply,
  type CouponUseRequest,
  type couponUseRevertReply,
  type couponUseRevertRequest,
} from '@eshop/proto/coupon';
import { CouponUsage } from './coupon-usage.js';

/** The branches of the order saga that concern coupons. Only signed calls reach them, each at most once per order. */
@CouponSaga()
@DtmBranches()
export class CouponSagaController implements CouponSaga {
  constructor(private readonly usage: CouponUsage) {}

  async couponUse({ couponID, userID, amount }: CouponUseRequest): Promise<CouponUseReply> {
    await this.usage.use(couponID, userID, amount);
    return {};
  }

  async couponUseRevert({ couponID }: couponUseRevertRequest): Promise<couponUseRevertReply> {
    await this.usage.release(couponID);
    return {};
  }
}
