/**
 * Writes items that arrive together with one statement: while one write runs, the next batch gathers. So a lone item
 * never waits, and many together cost one commit. When a batch fails, its items are tried one by one, so that an item
 * fails only for a reason of its own.
 */
export class Batcher<T> {
  private gathering: Pending<T>[] = [];
  private writing = false;

  /** `write` stores all items or none of them; `size` is the most it is given at once. */
  constructor(
    private readonly write: (items: readonly T[]) => Promise<void>,
    private readonly size = 16,
  ) {}

  /** Resolves when the item is stored, rejects when it is not. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.gathering.push({ item, resolve, reject });
      if (!this.writing) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.writing = true;
    while (this.gathering.length > 0) {
      await this.store(this.gathering.splice(0, this.size));
    }
    this.writing = false;
  }

  private async store(batch: Pending<T>[]): Promise<void> {
    try {
      await this.write(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const [only, ...others] = batch;
      if (only && others.length === 0) only.reject(error);
      else for (const one of batch) await this.store([one]);
    }
  }
}

interface Pending<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
