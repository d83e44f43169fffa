import type { BarrierTrace } from '../barrier-trace.ts';
import { isUnfinished, type OrderFacts } from '../order-facts.ts';
import type { Violation } from '../violation.ts';
import { difference, type ProductBook } from './i1-stock-books.ts';

/**
 * I8 of one order: the barrier rows of each branch say what the order's end says. That the effects themselves agree with
 * the end is judged by I3, I4 and I5; so together no effect is without its row and no row without its effect.
 */
export function barriers(facts: OrderFacts): Violation[] {
  const { submission, branches } = facts;
  if (!submission || isUnfinished(facts)) return [];
  const wrong: string[] = [];
  // An order of a flash sale is entered together with its acceptance.
  const called = {
    order: submission.saleID === 0,
    stock: true,
    coupon: (facts.order ?? submission).couponID !== 0,
    pay: true,
  };
  for (const [service, trace] of Object.entries(branches) as [keyof typeof branches, BarrierTrace][]) {
    if (trace === 'broken') {
      wrong.push(`the barrier rows of its ${service} branch contradict each other or tell of a second one`);
      continue;
    }
    // Units have no row of their own per order: the stock branch is judged by I3, its sum by `stockBarriers`.
    if (service === 'stock') continue;
    const done = trace === 'done';
    if (submission.state === 'placed') {
      if (called[service]) {
        if (!done) wrong.push(`placed, but its ${service} branch has no effective barrier row (${trace})`);
      } else if (trace !== 'none') {
        wrong.push(`needs no ${service} branch, but has barrier rows of one (${trace})`);
      }
    } else if (done) {
      wrong.push(`cancelled, but the barrier rows of its ${service} branch say that it is in effect`);
    }
  }
  return wrong.map((message) => ({ invariant: 'I8', subject: `order ${facts.orderID}`, message }));
}

/** I8 of one product: the stock branches in effect have taken the units that are gone. Judged where I1 holds. */
export function stockBarriers(book: ProductBook): Violation[] {
  const { productID, initial, stock, byBarriers } = book;
  if (difference(book) !== 0) return [];
  const gone = (initial ?? 0) - (stock ?? 0);
  if (gone === byBarriers) return [];
  const message = `initial ${initial} − stock ${stock} = ${gone}, but barrier rows have taken ${byBarriers}`;
  return [{ invariant: 'I8', subject: `product ${productID}`, message }];
}
