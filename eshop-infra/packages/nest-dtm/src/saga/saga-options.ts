import { DtmInvalidOption } from '../errors.js';
import { assertTransactionOptions, type TransactionOptions } from '../transaction/transaction-options.js';

/** Options stored with a saga. */
export interface SagaOptions extends TransactionOptions {
  /** Roll back when not finished after so many seconds. Default: never. Checked by DTM only when it works on the saga. */
  timeoutToFail?: number;
  /** Roll back after so many immediate repeats of a failing action. Default 0: repeat for ever. */
  retryLimit?: number;
  /** Run the steps at the same time. Default: one after the other. */
  concurrent?: boolean;
  /** With `concurrent`: step index → indexes of the steps it waits for. Compensations run in the reverse order. */
  orders?: Record<number, readonly number[]>;
}

/** Throws {@link DtmInvalidOption} with the option's name. */
export function assertSagaOptions(options: SagaOptions): void {
  assertTransactionOptions(options, ['timeoutToFail', 'retryLimit']);
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
