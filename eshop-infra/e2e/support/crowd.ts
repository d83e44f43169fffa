import { eventually } from './wait.ts';

/** How many clients there are, and how often they ask at most, all together. */
export interface CrowdOptions {
  readonly clients?: number;
  readonly limit?: number;
}

/** Clients that ask one after the other until they are told to stop, and remember the ids that they were given. */
export class Crowd {
  readonly accepted: string[] = [];
  failed = 0;
  private stopped = false;
  private readonly limit: number;
  private readonly running: Promise<void>[];

  constructor(ask: () => Promise<string | undefined>, { clients = 8, limit = 5_000 }: CrowdOptions = {}) {
    this.limit = limit;
    this.running = Array.from({ length: clients }, () => this.run(ask));
  }

  /** Waits until so many more were accepted. */
  async more(count: number, when: string, timeoutMs?: number): Promise<void> {
    const wanted = this.accepted.length + count;
    await eventually(async () => this.accepted.length >= wanted || undefined, `orders ${when}`, timeoutMs);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async run(ask: () => Promise<string | undefined>): Promise<void> {
    while (!this.stopped && this.accepted.length + this.failed < this.limit) {
      const orderID = await ask().catch(() => undefined);
      if (orderID !== undefined) this.accepted.push(orderID);
      else this.failed++;
      // People come one after the other; without a pause a part that goes on selling reaches the limit during the fault.
      await new Promise((resolve) => setTimeout(resolve, orderID === undefined ? 100 : 50));
    }
  }
}
