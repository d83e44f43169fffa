import { isUnfinished, type OrderFacts, payLives } from '../order-facts.ts';
import type { Violation } from '../violation.ts';

/**
 * I4: one live payment row per placed order, over the order's amount; the amount = price × count − coupon value, unless
 * it was taken as the client gave it (no price). The coupon value is that of the coupon itself.
 */
export function payment(facts: OrderFacts): Violation[] {
  const { submission, order, pay, coupon } = facts;
  if (isUnfinished(facts) || submission?.state !== 'placed') return [];
  const wrong: string[] = [];
  if (!pay) wrong.push('placed, but it has no payment row');
  else if (!payLives(facts)) wrong.push('placed, but its payment is cancelled');
  const terms = order ?? submission;
  if (submission.amount !== terms.amount) {
    wrong.push(`accepted over ${submission.amount}, but its order row says ${terms.amount}`);
  }
  if (pay && pay.amount !== terms.amount) wrong.push(`amount ${terms.amount}, but its payment is over ${pay.amount}`);
  if (pay && pay.userID !== terms.userID) {
    wrong.push(`ordered by user ${terms.userID}, but its payment is user ${pay.userID}'s`);
  }
  if (terms.price !== null) {
    const due = terms.price * terms.count - terms.couponAmount;
    if (terms.amount !== due) {
      const sum = `price ${terms.price} × ${terms.count} − coupon ${terms.couponAmount} = ${due}`;
      wrong.push(`amount ${terms.amount}, but ${sum}`);
    }
    const value = terms.couponID === 0 ? 0 : coupon?.amount;
    if (value !== undefined && value !== terms.couponAmount) {
      const owner = terms.couponID === 0 ? 'it has no coupon' : `coupon ${terms.couponID} is worth ${value}`;
      wrong.push(`${terms.couponAmount} taken off for a coupon, but ${owner}`);
    }
  }
  return wrong.map((message) => ({ invariant: 'I4', subject: `order ${facts.orderID}`, message }));
}

/** The rest of I4: more than one payment row of one order. The table's unique key rules it out while it is there. */
export function doublePayment(orderID: string, rows: number): Violation {
  return { invariant: 'I4', subject: `order ${orderID}`, message: `has ${rows} payment rows` };
}
