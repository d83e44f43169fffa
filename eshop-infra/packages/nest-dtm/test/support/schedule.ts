import fc from 'fast-check';
import type { BreakingPoint } from './proxy.js';

/**
 * What happens to one call. `works`: nothing. `refuses`: the business says no, after it has begun to write where writes can be
 * taken back. `fails`: an error after all of its work. `unheard`: it works, and its answer is lost.
 */
export type Fate = 'works' | 'refuses' | 'fails' | 'unheard';

/** One call in a schedule. */
export interface ScheduledCall<Op extends string> {
  op: Op;
  fate: Fate;
}

/** Calls that are made at once; the service that carries them out may be killed meanwhile. */
export interface Round<Op extends string> {
  calls: ScheduledCall<Op>[];
  killed?: BreakingPoint;
}

/** Rounds of calls of these ops, in any order and number, of which a third is cut short by a kill. */
export function rounds<Op extends string>(ops: readonly Op[], maxLength = 4): fc.Arbitrary<Round<Op>[]> {
  const call = fc.record({
    op: fc.constantFrom(...ops),
    fate: fc.constantFrom<Fate>('works', 'works', 'works', 'refuses', 'fails', 'unheard'),
  });
  const killed = fc.option(fc.record({ request: fc.integer({ min: 1, max: 16 }), served: fc.boolean() }), {
    nil: undefined,
    freq: 2,
  });
  return fc.array(fc.record({ calls: fc.array(call, { minLength: 1, maxLength: 5 }), killed }), { maxLength });
}
