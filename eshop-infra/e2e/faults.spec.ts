import { expectBooksToHold } from './support/audit.ts';
import { kill, start } from './support/parts.ts';
import { finalState, newProduct, submit } from './support/shop.ts';
import { eventually } from './support/wait.ts';

const CLIENTS = 8;
const ORDERS_BEFORE = 40;
const ORDERS_AFTER = 40;
const LIMIT = 3000;

/** Clients that order one after the other until they are told to stop, and remember what they were told. */
class Customers {
  readonly accepted: string[] = [];
  failed = 0;
  private stopped = false;
  private readonly productID: number;
  private readonly running: Promise<void>[];

  constructor(productID: number) {
    this.productID = productID;
    this.running = Array.from({ length: CLIENTS }, () => this.order());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async order(): Promise<void> {
    while (!this.stopped && this.accepted.length + this.failed < LIMIT) {
      try {
        const { status, data } = await submit({ productID: this.productID });
        if (status === 200) this.accepted.push(data.orderID);
        else this.failed++;
      } catch {
        this.failed++;
      }
      // Who was refused comes back a moment later, as a person would.
      if (this.failed > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('while orders run', () => {
  it.each(['stock', 'pay', 'order', 'dtm-mysql', 'mysql', 'gw'])(
    'a killed %s loses no accepted order and doubles none',
    async (part) => {
      const productID = await eventually(
        () => newProduct({ stock: 100_000 }).catch(() => undefined),
        'the shop to take orders after the fault before',
      );
      const customers = new Customers(productID);
      try {
        await eventually(
          async () => customers.accepted.length >= ORDERS_BEFORE || undefined,
          'orders before the fault',
        );
        await kill(part);
      } finally {
        await start(part);
      }
      const before = customers.accepted.length;
      await eventually(
        async () => customers.accepted.length >= before + ORDERS_AFTER || undefined,
        'orders after the fault',
      );
      await customers.stop();
      for (const orderID of customers.accepted) expect((await finalState(orderID)).state).toBe('placed');
      await expectBooksToHold();
    },
    180_000,
  );
});
