/** The guarantees that the audit judges; their full text stands in each one's file. */
export const invariantTitles = {
  I1: 'initial stock = stock + units in live orders',
  I3: 'every accepted order becomes placed or cancelled, wholly',
  I4: 'one payment per placed order, over the right amount',
  I5: 'a coupon is used if and only if one live order of its owner holds it',
  I7: 'no order id is forgotten',
  I8: 'barrier rows and effects agree',
} as const;

export type InvariantName = keyof typeof invariantTitles;

/** One finding: which guarantee is broken, on what, and the figures that show it. */
export interface Violation {
  invariant: InvariantName;
  /** `order 20…`, `product 7` or `coupon 3`. */
  subject: string;
  message: string;
}
