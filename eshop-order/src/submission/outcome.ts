import type { Outcome } from './submission.js';

/** What the fate of a saga means for its order; undefined = not final yet. */
export function outcomeOf(saga: {
  readonly status: string;
  readonly reason?: string | undefined;
}): Outcome | undefined {
  if (saga.status === 'succeed') return { state: 'placed' };
  if (saga.status === 'failed') return { state: 'cancelled', reason: saga.reason ?? '' };
  return undefined;
}
