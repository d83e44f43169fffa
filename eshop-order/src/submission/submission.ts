/** What the shop accepted: the terms of one order, fixed at the moment of acceptance. */
export interface Submission {
  /** Also the gid of the saga. */
  readonly orderID: string;
  readonly userID: number;
  readonly productID: number;
  readonly productCount: number;
  /** What is to be paid, in cents. */
  readonly amount: number;
  /** 0 = none. */
  readonly couponID: number;
  /** Unit price in cents by which `amount` was computed; 0 = the amount is the client's own (`order.amount: trust`). */
  readonly price: number;
  /** Value of the coupon in cents; 0 = none. */
  readonly couponAmount: number;
  /** Flash sale that the units are bought in; 0 = an ordinary order. */
  readonly saleID: number;
  /** The request that the order came with, for the logs of whoever carries it out later. */
  readonly requestID: string;
}

/** The states of a submission: `queued` until its record was read, `pending` until DTM has finished the saga. */
export const SubmissionState = { pending: 0, placed: 1, cancelled: 2, queued: 3 } as const;

/** How a submission ended. `reason` says why it was cancelled. */
export type Outcome = { readonly state: 'placed' } | { readonly state: 'cancelled'; readonly reason: string };
