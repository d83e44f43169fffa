import { type CouponRow, couponUsed, isUnfinished, type OrderFacts, orderLives } from '../order-facts.ts';
import type { Violation } from '../violation.ts';

/** I5, seen from the order: the coupon of a placed order is used, by this order, and its owner's. */
export function couponOfOrder(facts: OrderFacts): Violation[] {
  const { orderID, submission, order, coupon } = facts;
  if (isUnfinished(facts) || submission?.state !== 'placed') return [];
  const { couponID, userID } = order ?? submission;
  if (couponID === 0) return [];
  const subject = `order ${orderID}`;
  const wrong: string[] = [];
  if (!coupon) wrong.push(`placed with coupon ${couponID}, which does not exist`);
  else {
    if (coupon.status !== couponUsed) {
      wrong.push(`placed with coupon ${couponID}, which is not used (status ${coupon.status})`);
    } else if (coupon.orderID !== orderID) {
      wrong.push(`placed with coupon ${couponID}, which order ${coupon.orderID || '(none)'} holds`);
    }
    if (coupon.userID !== userID) {
      wrong.push(`placed by user ${userID} with coupon ${couponID}, which is user ${coupon.userID}'s`);
    }
  }
  return wrong.map((message) => ({ invariant: 'I5', subject, message }));
}

/** A coupon that is used or names an order, with what is known of that order. */
export interface HeldCoupon {
  coupon: CouponRow;
  holder?: OrderFacts;
}

/** I5, seen from the coupon: it is used if and only if it names an order, which lives and has this coupon. */
export function holderOfCoupon({ coupon, holder }: HeldCoupon): Violation[] {
  const found = (message: string): Violation[] => [{ invariant: 'I5', subject: `coupon ${coupon.id}`, message }];
  if (holder && isUnfinished(holder)) return [];
  if (coupon.status !== couponUsed) {
    // The order that wrongly has it is named from the order's side.
    if (holder?.submission?.state === 'placed' && orderLives(holder)) return [];
    return found(`is not used (status ${coupon.status}), yet names order ${coupon.orderID}`);
  }
  if (coupon.orderID === '') return found('is used, yet no order holds it');
  if (!holder) return found(`is used by order ${coupon.orderID}, which does not exist`);
  const lives = holder.submission ? holder.submission.state === 'placed' : orderLives(holder);
  if (!lives) return found(`is used by order ${coupon.orderID}, which is cancelled`);
  const terms = holder.order ?? holder.submission;
  if (terms?.couponID !== coupon.id) {
    return found(
      `is used by order ${coupon.orderID}, which has ${terms?.couponID ? `coupon ${terms.couponID}` : 'none'}`,
    );
  }
  return [];
}
