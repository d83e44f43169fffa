import { buyers, madeBefore, placedOrders, type SaleBook } from '../sales/sale-book.ts';
import type { Violation } from '../violation.ts';

export interface SaleOptions {
  /** Orders made up to this moment (UTC, as in the database) have had their time; absent = none has. */
  dueBefore?: string;
}

/**
 * I2: units allotted to a sale = left at its counter + reserved; reserved = orders of the sale that are not cancelled +
 * messages that are not final, each with one unit. In the stock service's books are those that no order's saga has taken yet.
 * A sale whose counter is lost is closed: then nothing more can be sold than the books say.
 */
export function flashSale(book: SaleBook, options: SaleOptions = {}): Violation[] {
  const { sale, allotted, counter, state } = book;
  const wrong: string[] = [];
  const placed = placedOrders(book).length;
  if (placed > sale.units) wrong.push(`${sale.units} units were allotted, but ${placed} orders are placed`);
  if (state === 'changing' && options.dueBefore !== undefined && sale.updatedAt <= options.dueBefore) {
    wrong.push(`change ${sale.version} of ${sale.updatedAt} is in the books, but not at the counter yet`);
  }
  if (state === 'counted' && counter) {
    const { left, units } = counter;
    const reserved = buyers(book).size;
    if (left < 0) wrong.push(`the counter has ${left} left`);
    if (sale.units !== left + reserved) {
      wrong.push(`${sale.units} units were allotted, but ${left} are left and ${reserved} reserved`);
    }
    const untaken = [...units.keys()].filter((orderID) => !book.orders.get(orderID)?.deducted).length;
    if (allotted !== left + untaken) {
      wrong.push(`stock keeps ${allotted} for it, but ${left} are left and ${untaken} reserved and not taken yet`);
    }
    wrong.push(...heldInVain(book, options));
  }
  return wrong.map((message) => ({ invariant: 'I2', subject: subjectOf(book), message }));
}

export function subjectOf({ sale }: SaleBook): string {
  return `sale ${sale.saleID} of product ${sale.productID}`;
}

/** Units at the counter whose orders are somebody else's, unknown or cancelled, although there was time to mend it. */
function heldInVain({ counter, orders }: SaleBook, { dueBefore }: SaleOptions): string[] {
  const wrong: string[] = [];
  for (const [orderID, userID] of counter?.units ?? []) {
    const order = orders.get(orderID);
    if (order && order.userID !== userID) {
      wrong.push(`user ${userID} holds a unit for order ${orderID}, which is user ${order.userID}'s`);
    }
    if (dueBefore === undefined || !madeBefore(orderID, dueBefore)) continue;
    if (!order) wrong.push(`order ${orderID} holds a unit, but the order service does not know it`);
    else if (order.state === 'cancelled') wrong.push(`order ${orderID} is cancelled, but its unit was not returned`);
  }
  return wrong;
}
