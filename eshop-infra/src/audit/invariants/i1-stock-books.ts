import type { Violation } from '../violation.ts';

/** The units of one product, from all sides. */
export interface ProductBook {
  productID: number;
  /** Units ever supplied; null = the product has no stock row. */
  initial: number | null;
  stock: number | null;
  /** Units of `stock` that belong to the running flash sale. */
  allotted: number;
  /** Units in orders that are not cancelled. */
  inOrders: number;
  /** Units that the stock service's barrier rows say are taken. */
  byBarriers: number;
}

/** Units that are missing (positive) or too many (negative). */
export function difference({ initial, stock, inOrders }: ProductBook): number {
  return (initial ?? 0) - (stock ?? 0) - inOrders;
}

/** I1: per product, initial stock = current stock + units in orders that are not cancelled; never below 0, nor below what belongs to its flash sale. */
export function stockBooks(book: ProductBook): Violation[] {
  const { productID, initial, stock, allotted, inOrders, byBarriers } = book;
  const subject = `product ${productID}`;
  const found: Violation[] = [];
  const off = difference(book);
  if (initial === null && inOrders > 0) {
    found.push({ invariant: 'I1', subject, message: `has no stock row, yet live orders hold ${inOrders} units` });
  } else if (off !== 0) {
    const way = off > 0 ? `${off} units are missing` : `${-off} units too many`;
    const figures = `initial ${initial} ≠ stock ${stock} + ${inOrders} in live orders`;
    found.push({ invariant: 'I1', subject, message: `${figures}: ${way} (taken by barrier rows: ${byBarriers})` });
  }
  if (stock !== null && stock < 0) found.push({ invariant: 'I1', subject, message: `stock is ${stock}` });
  if (stock !== null && (allotted < 0 || allotted > stock)) {
    found.push({
      invariant: 'I1',
      subject,
      message: `stock is ${stock}, of which ${allotted} belong to its flash sale`,
    });
  }
  return found;
}
