import { DtmInvalidOption } from '../errors.js';
import { assertTransactionOptions, type TransactionOptions } from '../transaction/transaction-options.js';

/** Options stored with a TCC. */
export interface TccOptions extends TransactionOptions {
  /**
   * DTM cancels what is not complete after so many seconds. Default: DTM's TimeoutToFail, 35. Longer than all tries together
   * take.
   */
  timeoutToFail?: number;
  /** Wait until every branch is confirmed, or DTM's window of about 5 s is over. */
  waitResult?: boolean;
}

/** What became of a TCC whose tries all succeeded. */
export interface TccResult<T> {
  /** Id of the transaction. */
  gid: string;
  /** `submitted`: DTM calls the confirmations until they succeed. `succeed`: every branch is confirmed. */
  status: 'submitted' | 'succeed';
  /** What `work` returned; `undefined` when `repeat`. */
  value?: T;
  /** The gid was another call's, now or before; `work` did not run. */
  repeat: boolean;
}

/** Key of custom data with the mark of the process that carries the TCC out. */
export const OWNER_KEY = 'tccOwner';

/** Throws {@link DtmInvalidOption} with the option's name. */
export function assertTccOptions(options: TccOptions): void {
  assertTransactionOptions(options, ['timeoutToFail']);
  if (options.customData && OWNER_KEY in options.customData)
    throw new DtmInvalidOption(`customData.${OWNER_KEY}`, 'tells whose the TCC is');
}
