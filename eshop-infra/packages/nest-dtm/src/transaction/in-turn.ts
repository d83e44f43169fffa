import { AsyncLocalStorage } from 'node:async_hooks';
import { DtmOutcomeUnknown, DtmReentered } from '../errors.js';
import type { Budget } from './budget.js';

interface Turn {
  readonly key: string;
  ended: boolean;
}

/** The turns the current code runs in. */
const held = new AsyncLocalStorage<readonly Turn[]>();

/** Work on one gid of one server is done piece after piece, work on different ones side by side. */
export class InTurn {
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** Whether work on this gid is under way. */
  has(server: string, gid: string): boolean {
    return this.#underWay.has(keyOf(server, gid));
  }

  /**
   * Waits for its turn, while there is time. `first`: nothing was under way.
   *
   * @throws {DtmReentered} called from inside its own turn, for which it would wait
   * @throws {DtmOutcomeUnknown} its turn did not come in time; this call has sent nothing
   */
  async run<T>(server: string, gid: string, budget: Budget, work: (first: boolean) => Promise<T>): Promise<T> {
    const key = keyOf(server, gid);
    const outer = held.getStore() ?? [];
    if (outer.some((turn) => turn.key === key && !turn.ended)) throw new DtmReentered(gid);
    const turn: Turn = { key, ended: false };
    const before = this.#underWay.get(key);
    const current = (async () => {
      // One that gives up waiting must not let those behind it begin.
      const gaveUp = before && !(await endsWithin(before, budget.left()));
      if (gaveUp) throw new DtmOutcomeUnknown('another call with this gid is under way in this process', { gid });
      return held.run([...outer, turn], () => work(before === undefined));
    })();
    const over = Promise.allSettled([before, current]);
    this.#underWay.set(key, over);
    try {
      return await current;
    } finally {
      turn.ended = true;
      void over.then(() => {
        if (this.#underWay.get(key) === over) this.#underWay.delete(key);
      });
    }
  }
}

function keyOf(server: string, gid: string): string {
  return `${server} ${gid}`;
}

/** Whether something ended, in whatever way, before the time was over. */
async function endsWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: timeOver, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  const ended = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([ended, timeOver]);
  } finally {
    clearTimeout(timer);
  }
}
