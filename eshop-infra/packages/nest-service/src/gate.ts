import { ContractError } from '@eshop/proto';

/** How many pass a {@link Gate}, and how many wait. */
export interface GateOptions {
  /** Works at a time. */
  readonly limit: number;
  /** How many may wait for one of them to end. Default: none. */
  readonly queueLimit?: number;
  /** How long one may wait, ms. Default: not at all. */
  readonly waitMs?: number;
  /** What one is told who is refused. */
  readonly refusal: string;
}

/**
 * Lets a limited number of works run at a time; the others wait their turn, first come first served. It keeps the load on what
 * is behind it where that is fast, and makes callers feel it when there are too many of them.
 */
export class Gate {
  private free: number;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: GateOptions) {
    this.free = options.limit;
  }

  /** Whether one who enters now has to wait. */
  get full(): boolean {
    return this.free === 0;
  }

  /** Resolves to a function that gives the place back. Throws TOO_MANY_REQUESTS when the queue is full or too slow. */
  async enter(): Promise<() => void> {
    if (this.free > 0) return this.enterNow();
    await this.wait();
    return this.exit();
  }

  /** As {@link enter}, without waiting: throws TOO_MANY_REQUESTS when it is full. */
  enterNow(): () => void {
    if (this.free === 0) throw this.refused();
    this.free--;
    return this.exit();
  }
  /** Runs the work when it is its turn. Throws as {@link enter} does. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Gives one place back, or on to who waits; once. */
  private exit(): () => void {
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const [next] = this.waiting;
      if (next) next();
      else this.free++;
    };
  }

  private wait(): Promise<void> {
    const { queueLimit = 0, waitMs = 0 } = this.options;
    if (this.waiting.size >= queueLimit) throw this.refused();
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
        reject(this.refused());
      }, waitMs);
      this.waiting.add(admit);
    });
  }

  private refused(): ContractError {
    return new ContractError('TOO_MANY_REQUESTS', this.options.refusal);
  }
}
