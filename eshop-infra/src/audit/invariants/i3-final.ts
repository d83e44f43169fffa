import { isUnfinished, type OrderFacts, orderLives, payLives, type Terms } from '../order-facts.ts';
import type { Violation } from '../violation.ts';

export interface FinalOptions {
  /** Orders accepted up to this moment (UTC, as in the database) have had their time; absent = none has. */
  dueBefore?: string;
}

/**
 * I3: every accepted order id becomes final. Placed: its row and its units are in effect, on the terms that were accepted.
 * Cancelled: nothing of it is. The payment of a placed order is judged by I4, its coupon by I5.
 */
export function finality(facts: OrderFacts, { dueBefore }: FinalOptions = {}): Violation[] {
  const { submission, dtm } = facts;
  if (!submission) return [];
  const wrong: string[] = [];
  if (isUnfinished(facts)) {
    if (dueBefore === undefined || submission.createdAt > dueBefore) return [];
    wrong.push(
      `still ${submission.state}, accepted ${submission.createdAt}; DTM says ${dtm?.status ?? 'nothing of it'}`,
    );
  } else if (submission.state === 'placed') {
    wrong.push(...placedButNot(facts));
  } else {
    wrong.push(...cancelledBut(facts));
  }
  return wrong.map((message) => ({ invariant: 'I3', subject: `order ${facts.orderID}`, message }));
}

function placedButNot(facts: OrderFacts): string[] {
  const { submission, order, branches, dtm } = facts;
  const wrong: string[] = [];
  if (!order) wrong.push('placed, but it has no order row');
  else if (!orderLives(facts)) wrong.push('placed, but its order row is cancelled');
  if (branches.stock !== 'done' && branches.stock !== 'broken') {
    wrong.push(`placed, but its units are not taken (stock branch: ${branches.stock})`);
  }
  if (dtm?.status === 'failed') wrong.push(`placed, but its saga failed: ${dtm.reason}`);
  if (submission && order) {
    const terms: (keyof Terms)[] = ['userID', 'productID', 'count', 'couponID', 'saleID'];
    for (const term of terms) {
      if (submission[term] !== order[term]) {
        wrong.push(`accepted with ${term} ${submission[term]}, but its order row says ${order[term]}`);
      }
    }
  }
  return wrong;
}

function cancelledBut(facts: OrderFacts): string[] {
  const { order, pay, branches, dtm } = facts;
  const wrong: string[] = [];
  if (orderLives(facts)) wrong.push(`cancelled, but its order row has status ${order?.status}`);
  if (branches.stock === 'done') wrong.push('cancelled, but its units are still taken');
  if (payLives(facts)) wrong.push(`cancelled, but its payment has status ${pay?.status}`);
  if (dtm?.status === 'succeed') wrong.push('cancelled, but its saga succeeded');
  return wrong;
}
