import { type BranchContext, branchContext } from './branch-context.js';

/** Writes items of several calls by as few statements as it can. The result at an item's place is the item's, if there are any. */
export type SharedWrite<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[] | undefined>;

interface Waiting {
  readonly call: BranchContext;
  readonly write: SharedWrite<unknown, unknown>;
  readonly item: unknown;
  result?: unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** What the calls of a group have to write, kept until each of them has come so far. */
export class SharedWrites {
  readonly #waiting: Waiting[] = [];
  #gathering = true;
  #awaited: { call: BranchContext; added: () => void } | undefined;

  /** Whether items are kept. When it is over, each call writes for itself. */
  get gathering(): boolean {
    return this.#gathering;
  }

  /** Keeps an item of a call for `write`, which is told by its identity; resolves when it is written and the call's turn comes. */
  add<Item, Result>(call: BranchContext, write: SharedWrite<Item, Result>, item: Item): Promise<Result | undefined> {
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ call, write: write as SharedWrite<unknown, unknown>, item, resolve, reject });
      if (this.#awaited?.call === call) this.#awaited.added();
    }) as Promise<Result | undefined>;
  }

  /** Resolves when a call has ended, or waits for the others since it has something to write. */
  async reached(call: BranchContext, ended: Promise<unknown>): Promise<void> {
    const { promise, resolve: added } = Promise.withResolvers<void>();
    this.#awaited = { call, added };
    if (this.#waiting.some((one) => one.call === call)) added();
    await Promise.race([ended, promise]);
  }

  /** Writes what was kept. Throws what a write throws; then nothing more is written. */
  async write(): Promise<void> {
    this.#gathering = false;
    for (const [write, waiting] of Map.groupBy(this.#waiting, (one) => one.write)) {
      const [first] = waiting as [Waiting];
      const results = await branchContext.run(first.call, () => write(waiting.map(({ item }) => item)));
      for (const [index, one] of waiting.entries()) one.result = results?.[index];
    }
  }

  /** Lets a call go on, after {@link write}. */
  release(call: BranchContext): void {
    for (const one of this.#waiting) if (one.call === call) one.resolve(one.result);
  }

  /** Ends the calls that still wait. */
  abandon(error: unknown): void {
    this.#gathering = false;
    for (const { reject } of this.#waiting) reject(error);
  }
}
