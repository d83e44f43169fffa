import type { Branch, BranchCall } from './branch.js';
import { Refusal } from './refusal.js';
import { GIVE_UP_HEADER } from './signed-call.js';

/** The value of the header for a saga that gives up after so many seconds from now. */
export function giveUpAfter(seconds: number): string {
  return `${Date.now() + seconds * 1_000}.${seconds}`;
}

/**
 * Refuses an action of a saga whose time is over. Not DTM's own `timeout_to_fail`: DTM decides by the clock, and compensates the branches it
 * knows to have begun. Those whose progress it could not store, since its store was away, or that another run of the saga has begun, keep their
 * effects. Here the saga ends as by any other refusal: with all that ran before it known, and compensated.
 *
 * An action that took effect before does not come so far: the barrier tells of the repeat.
 */
export function assertInTime({ transType, op }: Branch, { header }: Pick<BranchCall, 'header'>): void {
  if (transType !== 'saga' || op !== 'action') return;
  const [at, seconds] = header(GIVE_UP_HEADER).split('.');
  if (at && Date.now() > Number(at)) throw new Refusal(`Timeout after ${seconds} seconds`);
}
