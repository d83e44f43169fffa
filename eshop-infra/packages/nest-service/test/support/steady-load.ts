import type { StockClient } from '@eshop/proto/stock';

/** Calls that follow one another, some without side effects (which clients repeat) and some with (which they do not). */
export class SteadyLoad {
  reads = 0;
  writes = 0;
  readonly failures: { readonly what: 'read' | 'write'; readonly at: number; readonly error: Error }[] = [];
  private running = true;
  private readonly workers: Promise<void>[];

  /** Starts `workers` that read and as many that write, each call after the one before it. */
  constructor(client: StockClient, workers = 8) {
    this.workers = Array.from({ length: workers }, (_, worker) => [
      this.repeat(
        'read',
        () => client.listFlashSale({ params: page(worker) }),
        () => this.reads++,
      ),
      this.repeat(
        'write',
        () => client.deleteFlashSale({ productID: worker + 1 }),
        () => this.writes++,
      ),
    ]).flat();
  }

  /** @returns what failed */
  async stop(): Promise<SteadyLoad['failures']> {
    this.running = false;
    await Promise.all(this.workers);
    return this.failures;
  }

  private async repeat(what: 'read' | 'write', call: () => Promise<unknown>, count: () => void): Promise<void> {
    while (this.running) {
      const at = Date.now();
      try {
        await call();
        count();
      } catch (error) {
        this.failures.push({ what, at, error: error as Error });
      }
      // Not in the turn in which the answer came: nothing that is lost at that moment would show.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Equal reads are shared, so each worker reads a page of its own. */
const page = (worker: number) => ({ page: worker, limit: 10, sort: '', columns: [] });
