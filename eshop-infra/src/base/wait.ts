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
