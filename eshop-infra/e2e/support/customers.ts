import { setTimeout as delay } from 'node:timers/promises';
import { submit } from './shop.ts';

/** How many clients there are, and how many orders they place at most. */
export interface CustomersOptions {
  readonly clients?: number;
  readonly limit?: number;
}

/** Who was refused comes back a moment later, as a person would, milliseconds. */
const COMES_BACK_MS = 20;

/** Clients that order one after the other until they are told to stop, and remember what they were told. */
export class Customers {
  readonly accepted: string[] = [];
  failed = 0;
  private stopped = false;
  private readonly productIDs: readonly number[];
  private readonly limit: number;
  private readonly running: Promise<void>[];

  /** Each client orders the products by turns. */
  constructor(productIDs: readonly number[], { clients = 8, limit = 3_000 }: CustomersOptions = {}) {
    this.productIDs = productIDs;
    this.limit = limit;
    this.running = Array.from({ length: clients }, (_, client) => this.order(client));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async order(client: number): Promise<void> {
    for (let turn = client; !this.stopped && this.accepted.length + this.failed < this.limit; turn++) {
      const productID = this.productIDs[turn % this.productIDs.length] as number;
      const answer = await submit({ productID }).catch(() => undefined);
      if (answer?.status === 200) this.accepted.push(answer.data.orderID);
      else this.failed++;
      if (this.failed > 0) await delay(COMES_BACK_MS);
    }
  }
}
