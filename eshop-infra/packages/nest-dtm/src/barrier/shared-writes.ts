/** Writes items of several calls by as few statements as it can. The result at an item's place is the item's, if there are any. */
export type SharedWrite<Item, Result> = (items: readonly Item[]) => Promise<readonly Result[] | undefined>;

interface Waiting {
  readonly item: unknown;
  readonly inCall: <T>(run: () => T) => T;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** What the calls of a group have to write, kept until each of them has come so far. */
export class SharedWrites {
  readonly #waiting = new Map<SharedWrite<never, unknown>, Waiting[]>();
  #added = Promise.withResolvers<void>();
  #open = true;

  /**
   * Keeps an item for `write`, which is told by its identity, and resolves when it is written. `inCall` runs a function as part
   * of the item's own call.
   */
  add<Item, Result>(
    write: SharedWrite<Item, Result>,
    item: Item,
    inCall: <T>(run: () => T) => T,
  ): Promise<Result | undefined> {
    if (!this.#open) return write([item]).then((results) => results?.[0]);
    return new Promise<unknown>((resolve, reject) => {
      const waiting = this.#waiting.get(write) ?? [];
      waiting.push({ item, inCall, resolve, reject });
      this.#waiting.set(write, waiting);
      this.#added.resolve();
    }) as Promise<Result | undefined>;
  }

  /** Resolves when `call` has ended, or waits for the others since it has something to write. */
  async reached(call: Promise<unknown>): Promise<void> {
    await Promise.race([call, this.#added.promise]);
    this.#added = Promise.withResolvers();
  }

  /** Writes what was kept. From now on each item is written at once. Calls whose write fails are told so. */
  async write(): Promise<void> {
    this.#open = false;
    for (const [write, waiting] of this.#waiting) {
      const items = waiting.map(({ item }) => item) as never[];
      try {
        const [first] = waiting as [Waiting];
        const results = await first.inCall(() => write(items));
        for (const [index, { resolve }] of waiting.entries()) resolve(results?.[index]);
      } catch (error) {
        for (const { reject } of waiting) reject(error);
      }
    }
    this.#waiting.clear();
  }

  /** Ends the calls that wait: nothing is written any more. */
  abandon(error: unknown): void {
    this.#open = false;
    for (const waiting of this.#waiting.values()) for (const { reject } of waiting) reject(error);
    this.#waiting.clear();
  }
}
