import type { BarrierCall, BarrierOutcome } from './barrier.js';

/** How calls are run. `together` takes effect for all of its calls or throws and has none. */
export interface GroupRunner {
  alone<T>(call: BarrierCall<T>): Promise<BarrierOutcome<T>>;
  together(calls: readonly BarrierCall<unknown>[]): Promise<BarrierOutcome<unknown>[]>;
}

interface Waiting {
  readonly call: BarrierCall<unknown>;
  readonly key: string;
  settle(outcome: Promise<BarrierOutcome<unknown>>): void;
}

/** Two: a group that waits for a row's lock must not hold up all that have nothing to do with that row. */
const AT_ONCE = 2;

/**
 * How long a group has the database to itself, milliseconds, unless the calls that wait would fill the next one. Most groups
 * commit sooner, and those that wait then share one commit: begun at once beside it, they would need more.
 */
const ALONE_MS = 10;

/** After a group came to nothing, so many times its calls run alone: what refuses one often refuses the next. */
const APART = 4;

/**
 * Runs calls that arrive while others run as one group: one transaction and one commit for all. A call that finds nothing
 * running never waits, one that finds a group at work waits for its end or for {@link ALONE_MS}. A group in which anything goes wrong is undone and each of its calls tried alone, so that every
 * call gets an answer of its own.
 */
export class CallGroups {
  #waiting: Waiting[] = [];
  #running = 0;
  #apart = 0;
  /** Since when the newest group runs, by `performance.now()`. */
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly runner: GroupRunner,
    private readonly size: number,
    private readonly aloneMs: number = ALONE_MS,
  ) {}

  call<T>(call: BarrierCall<T>): Promise<BarrierOutcome<T>> {
    const { gid, branchId, op, server = '' } = call.branch;
    return new Promise((resolve) => {
      // Its own call comes back to each: what `together` gives for it is what its `work` returned.
      const settle = (outcome: Promise<BarrierOutcome<unknown>>) => resolve(outcome as Promise<BarrierOutcome<T>>);
      this.#waiting.push({ call, key: `${gid} ${branchId} ${op} ${server}`, settle });
      this.#next();
    });
  }

  #next(): void {
    while (this.#running < AT_ONCE && this.#waiting.length > 0) {
      const early = this.#earlyMs();
      if (early > 0) {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#next();
        }, early);
        return;
      }
      this.#running++;
      this.#since = performance.now();
      void this.#run(this.#take()).finally(() => {
        this.#running--;
        this.#next();
      });
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** How long the next group is to wait for the one that runs. */
  #earlyMs(): number {
    const full = this.#waiting.length >= (this.#apart > 0 ? 1 : this.size);
    return this.#running === 0 || full ? 0 : this.#since + this.aloneMs - performance.now();
  }

  /** The next calls that can go together: repeats of one branch must see each other's commit. */
  #take(): Waiting[] {
    const size = this.#apart > 0 ? 1 : this.size;
    this.#apart = Math.max(0, this.#apart - 1);
    const keys = new Set<string>();
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    for (const one of this.#waiting) {
      if (taken.length < size && !keys.has(one.key)) {
        keys.add(one.key);
        taken.push(one);
      } else left.push(one);
    }
    this.#waiting = left;
    return taken;
  }

  async #run(group: readonly Waiting[]): Promise<void> {
    if (group.length > 1) {
      try {
        const outcomes = await this.runner.together(group.map(({ call }) => call));
        for (const [index, { settle }] of group.entries()) {
          settle(Promise.resolve(outcomes[index] as BarrierOutcome<unknown>));
        }
        return;
      } catch {
        // Whose fault it was shows when each is tried alone.
        this.#apart = APART * group.length;
      }
    }
    await Promise.allSettled(
      group.map(({ call, settle }) => {
        const outcome = this.runner.alone(call);
        settle(outcome);
        return outcome;
      }),
    );
  }
}
