import { setTimeout as pause } from 'node:timers/promises';

/** A condition that did not come true in time. `cause` is the last reason. */
export class WaitedInVain extends Error {
  constructor(what: string, ms: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : cause === undefined ? '' : String(cause);
    super(`${what}: not after ${Math.round(ms / 1000)} s${reason ? ` (last: ${reason})` : ''}`, { cause });
    this.name = 'WaitedInVain';
  }
}

export interface WaitOptions {
  /** How long to try, in ms. */
  timeoutMs: number;
  /** Between two tries, in ms; default 100. */
  everyMs?: number;
  /** Ends the waiting early by throwing, e.g. because the process has died. */
  giveUp?: () => void | Promise<void>;
}

/**
 * Runs `check` until it returns without throwing, and gives back what it returned.
 * @throws WaitedInVain with the last error
 */
export async function waitFor<T>(what: string, check: () => Promise<T>, options: WaitOptions): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    await options.giveUp?.();
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw new WaitedInVain(what, options.timeoutMs, error);
    }
    await pause(options.everyMs ?? 100);
  }
}

export interface DrainOptions {
  /** How long to wait for the number to fall once more, in ms. */
  patienceMs: number;
  /** Between two counts, in ms. */
  everyMs: number;
  /** Told after each count. */
  onCount?: (left: number) => void;
}

/**
 * Counts until nothing is left, however long that takes, as long as it becomes less. Returns what is left.
 */
export async function waitUntilNone(count: () => Promise<number>, options: DrainOptions): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  let deadline = 0;
  for (;;) {
    const left = await count();
    options.onCount?.(left);
    if (left === 0) return 0;
    if (left < least) {
      least = left;
      deadline = Date.now() + options.patienceMs;
    } else if (Date.now() >= deadline) return left;
    await pause(options.everyMs);
  }
}
