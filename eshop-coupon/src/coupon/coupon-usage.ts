import { LocalTransaction } from '@eshop/nest-dtm/mysql';
import { ContractError } from '@eshop/proto';
import { CouponStatus } from '@eshop/proto/coupon';
import { Injectable } from '@nestjs/common';

interface CouponRow {
  user_id: number;
  amount: number;
  status: number;
}

/** Uses and frees coupons, inside the branch's local transaction. The order that holds a coupon is the saga's gid. */
@Injectable()
export class CouponUsage {
  constructor(private readonly transaction: LocalTransaction) {}

  /**
   * Marks the coupon used by the order of this saga, provided that it is unused, belongs to `userID` and still is
   * worth `amount` cents, with which the order was priced.
   */
  async use(couponID: number, userID: number, amount: number): Promise<void> {
    const { affectedRows } = await this.transaction.execute(
      'UPDATE coupon SET status = ?, order_id = ?, version = version + 1 WHERE id = ? AND user_id = ? AND amount = ? AND status = ?',
      [CouponStatus.USED, this.transaction.branch.gid, couponID, userID, amount, CouponStatus.UNUSED],
    );
    if (affectedRows === 0) throw await this.refusal(couponID, userID);
  }

  /** Frees the coupon that the order of this saga holds. */
  async release(couponID: number): Promise<void> {
    await this.transaction.execute(
      "UPDATE coupon SET status = ?, order_id = '', version = version + 1 WHERE id = ? AND order_id = ? AND status = ?",
      [CouponStatus.UNUSED, couponID, this.transaction.branch.gid, CouponStatus.USED],
    );
  }

  private async refusal(couponID: number, userID: number): Promise<ContractError> {
    const [coupon] = await this.transaction.query<CouponRow>(
      'SELECT user_id, amount, status FROM coupon WHERE id = ?',
      [couponID],
    );
    if (!coupon) return new ContractError('COUPON_NOT_FOUND', `coupon ${couponID} does not exist`);
    if (coupon.user_id !== userID) return new ContractError('COUPON_NOT_OWNED', `coupon ${couponID} is another user's`);
    if (coupon.status === CouponStatus.USED) {
      return new ContractError('COUPON_ALREADY_USED', `coupon ${couponID} has been used`);
    }
    if (coupon.status === CouponStatus.EXPIRED) {
      return new ContractError('COUPON_EXPIRED', `coupon ${couponID} has expired`);
    }
    return new ContractError('AMOUNT_MISMATCH', `the value of coupon ${couponID} changed while the order was placed`);
  }
}
