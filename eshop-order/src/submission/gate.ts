import { ContractError } from '@eshop/proto';

/**
 * Lets a limited number of sagas run at a time and queues the rest, first come first served. It keeps the load on DTM and the
 * branches where they are fast, and makes callers feel it when the shop is full, instead of piling up accepted orders.
 */
export class Gate {
  private free: number;
  private readonly waiting: Waiter[] = [];

  /** `limit` sagas at once; at most `queueLimit` wait, each at most `waitMs`. */
  constructor(
    limit: number,
    private readonly queueLimit: number,
    private readonly waitMs: number,
  ) {
    this.free = limit;
  }

  /** Resolves to a function that gives the place back. Throws TOO_MANY_REQUESTS when the queue is full or too slow. */
  async enter(): Promise<() => void> {
    if (this.free > 0) this.free--;
    else await this.wait();
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const next = this.waiting.shift();
      if (next) next.admit();
      else this.free++;
    };
  }

  private wait(): Promise<void> {
    if (this.waiting.length >= this.queueLimit) throw full();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        reject(full());
      }, this.waitMs);
      const waiter: Waiter = {
        admit: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.waiting.push(waiter);
    });
  }
}

interface Waiter {
  readonly admit: () => void;
}

function full(): ContractError {
  return new ContractError('TOO_MANY_REQUESTS', 'too many orders are being placed right now; try again shortly');
}
