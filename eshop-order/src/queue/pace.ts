/**
 * How many queued orders are carried out at a time: fewer while clients are handing orders in. The queue is there so that
 * orders can be taken in faster than they can be carried out, which needs the machine for the former.
 */
export class Pace {
  private running = 0;
  private accepting = 0;
  private readonly line: (() => void)[] = [];

  /** At most `idle` at a time, at most `busy` while something is being accepted. */
  constructor(
    private readonly idle: number,
    private readonly busy: number,
  ) {}

  /** Runs `work`, which takes an order in. */
  async whileAccepting<T>(work: () => Promise<T>): Promise<T> {
    this.accepting++;
    try {
      return await work();
    } finally {
      this.accepting--;
      this.admit();
    }
  }

  /** Runs `work`, which carries an order out, when it is its turn. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = new Promise<void>((resolve) => this.line.push(resolve));
    this.admit();
    await turn;
    try {
      return await work();
    } finally {
      this.running--;
      this.admit();
    }
  }

  private admit(): void {
    const limit = this.accepting > 0 ? this.busy : this.idle;
    while (this.running < limit) {
      const next = this.line.shift();
      if (!next) return;
      this.running++;
      next();
    }
  }
}
