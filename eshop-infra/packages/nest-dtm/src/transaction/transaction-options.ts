import { DtmInvalidOption } from '../errors.js';
import { checkedJson } from './json.js';

/** Options every kind of transaction has; DTM stores them. Times in seconds, as DTM has them. */
export interface TransactionOptions {
  /** Name of the DTM server among the module's `servers`. Default `default`. */
  server?: string;
  /** Longest time of one branch call, seconds. Default: DTM's RequestTimeout, 3. */
  requestTimeout?: number;
  /** First wait before a branch is called again, seconds; doubles. Default: DTM's RetryInterval, 10. */
  retryInterval?: number;
  /** Sent with every branch call: HTTP header / gRPC metadata. Keys in lower case. */
  headers?: Record<string, string>;
  /** Kept with the transaction and found by `query`; DTM makes nothing of it. At most about 1000 characters as JSON. */
  customData?: Readonly<Record<string, unknown>>;
}

/** Column size of options and of custom data in DTM's store; it rejects what is larger. */
export const MAX_COLUMN = 1_024;

/** DTM's column of the next interval is a 32-bit number. */
const MAX_INT = 2 ** 31 - 1;

/** Keys of custom data that mean something to DTM. */
const RESERVED = ['concurrent', 'orders', 'delay'];

/** Throws {@link DtmInvalidOption} with the option's name. `times` names the further options that are whole numbers. */
export function assertTransactionOptions<Options extends TransactionOptions>(
  options: Options,
  times: readonly (keyof Options & string)[],
): void {
  for (const name of ['requestTimeout', 'retryInterval', ...times] as const) {
    const value = options[name as keyof Options];
    if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_INT)) {
      throw new DtmInvalidOption(name, `must be a whole number from 0 to ${MAX_INT}`);
    }
  }
  for (const [key, value] of Object.entries(options.headers ?? {})) {
    if (!/^[0-9a-z_.-]+$/.test(key) || key.endsWith('-bin'))
      throw new DtmInvalidOption(`headers.${key}`, 'must be a lower-case key');
    if (key.startsWith('dtm-')) throw new DtmInvalidOption(`headers.${key}`, 'keys that start with dtm- are reserved');
    if (typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value))
      throw new DtmInvalidOption(`headers.${key}`, 'must be printable ASCII');
  }
  checkedJson(options.customData, 'customData');
  for (const key of RESERVED) {
    if (options.customData && key in options.customData)
      throw new DtmInvalidOption(`customData.${key}`, 'is a key with a meaning to DTM; there is an option for it');
  }
}

/** DTM's column `custom_data`: the caller's data and what DTM itself reads there. */
export function customData(
  gid: string,
  own: TransactionOptions['customData'],
  dtms: Record<string, unknown>,
  field: string,
): string {
  const all = { ...own, ...dtms };
  if (Object.keys(all).length === 0) return '';
  const text = JSON.stringify(all);
  if (text.length > MAX_COLUMN) {
    throw new DtmInvalidOption(own ? 'customData' : field, `too long for DTM's column of ${MAX_COLUMN} characters`, {
      gid,
    });
  }
  return text;
}
