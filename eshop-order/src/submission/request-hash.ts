import { createHash } from 'node:crypto';

/** What a client asked for, as far as it decides what is ordered. */
export interface Wish {
  readonly userID: number;
  readonly productID: number;
  readonly productCount: number;
  readonly amount: number;
  readonly couponID: number;
  /** 0 or absent = an ordinary order. */
  readonly saleID?: number;
}

/** Tells two requests, or a request and its record in the queue, apart. Whether the client waits for the result is no part of it. */
export function requestHash({ userID, productID, productCount, amount, couponID, saleID = 0 }: Wish): Buffer {
  const text = [userID, productID, productCount, amount, couponID, saleID].join(',');
  return createHash('sha256').update(text).digest();
}
