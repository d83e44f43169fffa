const MIN_MS = 200;
const MAX_MS = 10_000;

/**
 * How long to wait before the group is joined again: twice as long each time. Only a membership that lasted makes it short again,
 * since whatever ends one may let the next begin: each joining stops all the group's members for a moment.
 */
export class RestartDelay {
  private failures = 0;

  /** @param memberMs how long the membership lasted that has ended; 0: there was none */
  next(memberMs: number): number {
    if (memberMs >= MAX_MS) this.failures = 0;
    return Math.min(MIN_MS * 2 ** Math.min(this.failures++, 10), MAX_MS);
  }
}
