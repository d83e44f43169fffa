import { buyers, madeBefore, type SaleBook } from '../sales/sale-book.ts';
import type { Violation } from '../violation.ts';
import { subjectOf } from './i2-flash-sale.ts';

/**
 * I6: a user gets no more units of a sale than its limit, and the counter that enforces it knows how many each has. A limit may
 * be lowered while the sale runs: what was bought before the sale's last change is not held against it.
 */
export function limitPerUser(book: SaleBook): Violation[] {
  const { sale, counter, state } = book;
  if (!sale.running || (state !== 'counted' && state !== 'unread' && state !== 'lost')) return [];
  const bought = new Map<number, string[]>();
  for (const [orderID, userID] of buyers(book)) {
    const mine = bought.get(userID);
    if (mine) mine.push(orderID);
    else bought.set(userID, [orderID]);
  }
  const wrong: string[] = [];
  for (const [userID, orderIDs] of bought) {
    const over = sale.limitPerUser > 0 && orderIDs.length > sale.limitPerUser;
    if (over && orderIDs.some((orderID) => !madeBefore(orderID, sale.updatedAt))) {
      wrong.push(`user ${userID} has ${orderIDs.length} units, the limit is ${sale.limitPerUser}`);
    }
  }
  if (state === 'counted' && counter) {
    for (const userID of new Set([...bought.keys(), ...counter.users.keys()])) {
      const [has, counted] = [bought.get(userID)?.length ?? 0, counter.users.get(userID) ?? 0];
      if (has !== counted) wrong.push(`user ${userID} has ${has} units, but is counted with ${counted}`);
    }
  }
  return wrong.map((message) => ({ invariant: 'I6', subject: subjectOf(book), message }));
}
