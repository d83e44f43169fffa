import type { BranchCall } from './branch.js';
import { Transient } from './classify.js';

/** DTM's RequestTimeout, less what the answer needs. For calls whose deadline is not known, milliseconds. */
export const DEFAULT_BRANCH_TIMEOUT_MS = 2_700;

/** Left of a known deadline for the answer: a tenth of it, within these bounds, milliseconds. */
const [LEAST_MARGIN, MOST_MARGIN] = [50, 300];

/** The time a branch call may take. */
export interface TimeLimit extends Disposable {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
}

/**
 * The time of a branch call: below its caller's, so that the caller hears the answer. DTM makes all its repeats one after the other, and
 * each waits for the call before.
 *
 * @param timeoutMs of a call that names no deadline, as over HTTP
 */
export function timeLimit(
  { deadline }: Pick<BranchCall, 'deadline'>,
  timeoutMs = DEFAULT_BRANCH_TIMEOUT_MS,
): TimeLimit {
  const left = deadline === undefined ? undefined : deadline - Date.now();
  const ms = left === undefined ? timeoutMs : left - Math.min(MOST_MARGIN, Math.max(LEAST_MARGIN, left / 10));
  const controller = new AbortController();
  const over = (): void =>
    controller.abort(new Transient(`the branch did not end within ${Math.round(ms)} ms, and is undone`));
  const timer = setTimeout(over, Math.max(0, Math.min(ms, MAX_TIMER_MS)));
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Node's timers hold no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;
