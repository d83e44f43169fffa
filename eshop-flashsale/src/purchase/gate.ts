import { ContractError } from '@eshop/proto';

/** Lets a limited number of purchases through at a time; the others wait their turn, first come first served. */
export class Gate {
  private free: number;
  private readonly waiting = new Set<() => void>();

  /** `limit` at once; at most `queueLimit` wait, each at most `waitMs`. */
  constructor(
    limit: number,
    private readonly queueLimit: number,
    private readonly waitMs: number,
  ) {
    this.free = limit;
  }

  /** Whether one who enters now has to wait. */
  get full(): boolean {
    return this.free === 0;
  }

  /** Runs the work when it is its turn. Throws TOO_MANY_REQUESTS when the queue is full or too slow. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await this.wait();
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      if (next) next();
      else this.free++;
    }
  }

  private wait(): Promise<void> {
    if (this.waiting.size >= this.queueLimit) throw tooMany();
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.waiting.delete(admit);
      };
      const admit = () => {
        leave();
        resolve();
      };
      const timer = setTimeout(() => {
        leave();
        reject(tooMany());
      }, this.waitMs);
      this.waiting.add(admit);
    });
  }
}

function tooMany(): ContractError {
  return new ContractError('TOO_MANY_REQUESTS', 'too many are buying right now; try again shortly');
}
