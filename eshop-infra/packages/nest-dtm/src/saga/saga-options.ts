import { DtmInvalidOption } from '../errors.js';
import { assertTransactionOptions, type TransactionOptions } from '../transaction/transaction-options.js';

/** Options stored with a saga. */
export interface SagaOptions extends TransactionOptions {
  /**
   * Roll back when not finished after so many seconds. Default: never. Checked by the branches, each time one is to take effect: by those
   * of this library, not by others.
   */
  timeoutToFail?: number;
  /**
   * Roll back after so many immediate repeats of a failing action. Default 0: repeat for ever. DTM decides it by itself: effects of which its
   * store has not heard, since it was away, or that a second run has made, are not taken back. For sagas of one step.
   */
  retryLimit?: number;
  /** Run the steps at the same time. Default: one after the other. */
  concurrent?: boolean;
  /**
   * With `concurrent`: step index → indexes of the steps it waits for. Compensations run in the reverse order. Steps run level by
   * level: one that waits for others begins when all steps of their level have succeeded.
   */
  orders?: Record<number, readonly number[]>;
}

/** Throws {@link DtmInvalidOption} with the option's name. */
export function assertSagaOptions(options: SagaOptions): void {
  assertTransactionOptions(options, ['timeoutToFail', 'retryLimit']);
  if (options.orders && !options.concurrent) throw new DtmInvalidOption('orders', 'needs concurrent: true');
}

/**
 * The orders as DTM is given them: a step waits for all steps of the level below its own, not only for those it names.
 *
 * Of two runs of one saga each begins what its own answers allow. Where a step waited for one of two others, a run in which the other one
 * refuses first would not begin it, and so not compensate it, while the second run has begun it already. Level by level no run gets
 * past a level in which a step was refused, since a refusal is final.
 *
 * @throws {DtmInvalidOption} an order names no step, or a step waits for itself, directly or not
 */
export function ordersByLevel(orders: Record<number, readonly number[]>, steps: number): Record<number, number[]> {
  const levels = levelsOf(orders, steps);
  const waiting: Record<number, number[]> = {};
  for (const [step, level] of levels.entries()) {
    if (level > 0) waiting[step] = [...levels.keys()].filter((other) => levels[other] === level - 1);
  }
  return waiting;
}

/** Of each step the longest way from a step that waits for none. */
function levelsOf(orders: Record<number, readonly number[]>, steps: number): number[] {
  const levels = new Array<number | 'open' | undefined>(steps);
  const visit = (step: number): number => {
    if (!(Number.isInteger(step) && step >= 0 && step < steps))
      throw new DtmInvalidOption('orders', `there is no step ${step}`);
    const known = levels[step];
    if (known === 'open') throw new DtmInvalidOption('orders', `step ${step} waits for itself`);
    if (known !== undefined) return known;
    levels[step] = 'open';
    const level = Math.max(-1, ...(orders[step] ?? []).map(visit)) + 1;
    levels[step] = level;
    return level;
  };
  for (const step of Object.keys(orders)) visit(Number(step));
  return Array.from({ length: steps }, (_, step) => visit(step));
}
