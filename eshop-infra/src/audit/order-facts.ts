import type { BarrierTrace } from './barrier-trace.ts';

/** What an order is about; amounts in cents. */
export interface Terms {
  userID: number;
  productID: number;
  count: number;
  amount: number;
  /** 0 = none. */
  couponID: number;
  /** Unit price at acceptance; null = the amount was taken as the client gave it. */
  price: number | null;
  couponAmount: number;
  /** The flash sale that the units come from; 0 = an ordinary order. */
  saleID: number;
}

export interface Submission extends Terms {
  /** `queued`: on its way through Kafka; `pending`: its saga runs. */
  state: 'queued' | 'pending' | 'placed' | 'cancelled';
  reason: string;
  /** UTC, `YYYY-MM-DD hh:mm:ss.sss`. */
  createdAt: string;
}

export interface OrderRow extends Terms {
  status: number;
}

export interface PayRow {
  userID: number;
  amount: number;
  status: number;
}

export interface CouponRow {
  id: number;
  userID: number;
  amount: number;
  status: number;
  /** The order that holds it; '' = none. */
  orderID: string;
}

export interface DtmTransaction {
  status: string;
  reason: string;
}

/** Everything that all databases say about one order id at one instant. */
export interface OrderFacts {
  orderID: string;
  submission?: Submission;
  order?: OrderRow;
  pay?: PayRow;
  /** The coupon that the order names, whoever holds it. */
  coupon?: CouponRow;
  dtm?: DtmTransaction;
  branches: { order: BarrierTrace; stock: BarrierTrace; coupon: BarrierTrace; pay: BarrierTrace };
}

export const orderCancelled = 5;
export const payCancelled = 4;
export const couponUsed = 2;

const dtmUnfinished = ['prepared', 'submitted', 'aborting'];

/** Whether the order service has not ended the order yet. */
export function isOpen(submission: Pick<Submission, 'state'> | undefined): boolean {
  return submission?.state === 'pending' || submission?.state === 'queued';
}

/** Whether the order still runs: nothing about it is final, so only its id and its units can be judged. */
export function isUnfinished({ submission, dtm }: Pick<OrderFacts, 'submission' | 'dtm'>): boolean {
  return isOpen(submission) || (dtm !== undefined && dtmUnfinished.includes(dtm.status));
}

/** What the order concerns: the row of the order service, or what was accepted while there is none. */
export function termsOf({ order, submission }: OrderFacts): Terms | undefined {
  return order ?? submission;
}

export function orderLives({ order }: OrderFacts): boolean {
  return order !== undefined && order.status !== orderCancelled;
}

export function payLives({ pay }: OrderFacts): boolean {
  return pay !== undefined && pay.status !== payCancelled;
}

export function couponHeld({ orderID, coupon }: OrderFacts): boolean {
  return coupon !== undefined && coupon.status === couponUsed && coupon.orderID === orderID;
}

/**
 * Units of the product that the order holds. Of an order that still runs only the stock branch can tell, since its row
 * comes before its units are taken and is cancelled before or after they are given back.
 */
export function unitsHeld(facts: OrderFacts): number {
  const holds = isUnfinished(facts) ? facts.branches.stock === 'done' : orderLives(facts);
  return holds ? (termsOf(facts)?.count ?? 0) : 0;
}
