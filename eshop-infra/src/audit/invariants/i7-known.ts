import { isOpen, type OrderFacts } from '../order-facts.ts';
import type { Violation } from '../violation.ts';

/**
 * I7: an order id given out is never forgotten. Every id that DTM or a service knows is among the accepted ones, and how
 * an accepted one ended can be told: by DTM, by its barrier rows or, if it never came so far, by its reason.
 */
export function known(facts: OrderFacts): Violation[] {
  const { orderID, submission, order, pay, dtm, branches } = facts;
  const subject = `order ${orderID}`;
  const barriers = Object.entries(branches).flatMap(([service, trace]) => (trace === 'none' ? [] : [service]));
  if (!submission) {
    const seen: string[] = [];
    if (dtm) seen.push(`DTM (${dtm.status})`);
    if (order) seen.push(`an order row (status ${order.status})`);
    if (pay) seen.push(`a payment row (status ${pay.status})`);
    if (barriers.length > 0) seen.push(`barrier rows of ${barriers.join(', ')}`);
    return [
      { invariant: 'I7', subject, message: `was never accepted, yet there is ${seen.join(', ') || 'a trace of it'}` },
    ];
  }
  if (isOpen(submission) || dtm || barriers.length > 0) return [];
  if (submission.state === 'cancelled' && submission.reason !== '') return [];
  const message = `${submission.state}, but neither DTM nor a barrier row nor a reason tells how it came to that`;
  return [{ invariant: 'I7', subject, message }];
}
