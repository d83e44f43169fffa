import { DtmInvalidOption } from '../errors.js';

/** Options stored with the transaction. Times in seconds, as DTM has them. */
export interface SagaOptions {
  /** Name of the DTM server among the module's `servers`. Default `default`. */
  server?: string;
  /** Roll back when not finished after so many seconds. Default: never. Checked by DTM only when it works on the saga. */
  timeoutToFail?: number;
  /** Longest time of one branch call, seconds. Default: DTM's RequestTimeout, 3. */
  requestTimeout?: number;
  /** First wait before a branch is called again, seconds; doubles. Default: DTM's RetryInterval, 10. */
  retryInterval?: number;
  /** Roll back after so many immediate repeats of a failing action. Default 0: repeat for ever. */
  retryLimit?: number;
  /** Sent with every branch call: HTTP header / gRPC metadata. Keys in lower case. */
  headers?: Record<string, string>;
  /** Run the steps at the same time. Default: one after the other. */
  concurrent?: boolean;
  /** With `concurrent`: step index → indexes of the steps it waits for. Compensations run in the reverse order. */
  orders?: Record<number, readonly number[]>;
}

/** Throws {@link DtmInvalidOption} with the option's name. */
export function assertSagaOptions(options: SagaOptions): void {
  for (const name of ['timeoutToFail', 'requestTimeout', 'retryInterval', 'retryLimit'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 0)) {
      throw new DtmInvalidOption(name, 'must be a whole number of seconds, 0 or more');
    }
  }
  for (const [key, value] of Object.entries(options.headers ?? {})) {
    if (!/^[0-9a-z_.-]+$/.test(key) || key.endsWith('-bin'))
      throw new DtmInvalidOption(`headers.${key}`, 'must be a lower-case key');
    if (key.startsWith('dtm-')) throw new DtmInvalidOption(`headers.${key}`, 'keys that start with dtm- are reserved');
    if (!/^[\x20-\x7e]*$/.test(value)) throw new DtmInvalidOption(`headers.${key}`, 'must be printable ASCII');
  }
  if (options.orders && !options.concurrent) throw new DtmInvalidOption('orders', 'needs concurrent: true');
}

/** Throws unless every order names existing steps and no step waits for itself, directly or not. */
export function assertOrders(orders: Record<number, readonly number[]>, steps: number): void {
  const state = new Array<'open' | 'done' | undefined>(steps);
  const visit = (step: number): void => {
    if (!(Number.isInteger(step) && step >= 0 && step < steps))
      throw new DtmInvalidOption('orders', `there is no step ${step}`);
    if (state[step] === 'open') throw new DtmInvalidOption('orders', `step ${step} waits for itself`);
    if (state[step] === 'done') return;
    state[step] = 'open';
    for (const before of orders[step] ?? []) visit(before);
    state[step] = 'done';
  };
  for (const step of Object.keys(orders)) visit(Number(step));
}
