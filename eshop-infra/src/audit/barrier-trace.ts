/**
 * What the barrier rows of one order say about one service's branch:
 * - `none`: the branch was never called
 * - `done`: its action is in effect
 * - `undone`: its action was in effect and has been compensated
 * - `skipped`: its action was refused, or its compensation came without the action having been in effect (null compensation)
 * - `broken`: the rows contradict each other
 */
export type BarrierTrace = 'none' | 'done' | 'undone' | 'skipped' | 'broken';

const known = new Map<string, BarrierTrace>();

/** Stands for the reason of a refusal: a refused action leaves the rows of a compensation, the second one with the refusal's words. */
export const REFUSED = 'refused';

/**
 * Reads rows written as `branch:op:barrier:reason`, separated by commas; null = no rows. A reason that is no op stands there as
 * {@link REFUSED}.
 */
export function readTrace(rows: string | null): BarrierTrace {
  if (rows === null || rows === '') return 'none';
  let trace = known.get(rows);
  if (trace === undefined) {
    trace = parse(rows);
    // A whole system has a dozen different texts; a damaged one must not fill the memory.
    if (known.size < 1000) known.set(rows, trace);
  }
  return trace;
}

function parse(rows: string): BarrierTrace {
  const reasons = new Map<string, string>();
  const branches = new Set<string>();
  for (const row of rows.split(',')) {
    const [branch = '', op = '', barrier = '', reason = ''] = row.split(':');
    branches.add(branch);
    // A second branch of the same service, or a second barrier in a branch, would be a second effect.
    if (branches.size > 1 || barrier !== '01' || reasons.has(op)) return 'broken';
    reasons.set(op, reason);
  }
  const action = reasons.get('action');
  const compensate = reasons.get('compensate');
  if (reasons.size !== (action === undefined ? 0 : 1) + (compensate === undefined ? 0 : 1)) return 'broken';
  if (action === 'action' && compensate === undefined) return 'done';
  if (action === 'action' && compensate === 'compensate') return 'undone';
  if (action === 'compensate' && (compensate === 'compensate' || compensate === REFUSED)) return 'skipped';
  return 'broken';
}
