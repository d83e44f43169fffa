/** The guarantees that the audit judges; their full text stands in each one's file. */
export const invariantTitles = {
  I1: 'initial stock = stock + units in live orders',
  I2: 'units of a flash sale = left + reserved',
  I3: 'every accepted order becomes placed or cancelled, wholly',
  I4: 'one payment per placed order, over the right amount',
  I5: 'a coupon is used if and only if one live order of its owner holds it',
  I6: 'no user gets more units of a sale than its limit',
  I7: 'no order id is forgotten',
  I8: 'barrier rows and effects agree',
  I9: 'each record of the queue leads to one order or one dead letter',
} as const;

export type InvariantName = keyof typeof invariantTitles;

/** One finding: which guarantee is broken, on what, and the figures that show it. */
export interface Violation {
  invariant: InvariantName;
  /** `order 20…`, `product 7`, `coupon 3`, `sale 17… of product 7` or `record topic/partition/offset`. */
  subject: string;
  message: string;
}
