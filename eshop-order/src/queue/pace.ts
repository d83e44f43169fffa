/**
 * How many queued orders are carried out at a time: one less for each that was handed in a moment ago. The queue is there so
 * that orders can be taken in faster than they can be carried out, which needs the machine for the former.
 */
export class Pace {
  private running = 0;
  private accepting = 0;
  private readonly line: (() => void)[] = [];

  /**
   * At most `most` at a time together with those that are being accepted or were in the last `heldMs`, but `least` in any case.
   */
  constructor(
    private readonly most: number,
    private readonly least: number,
    private readonly heldMs = 200,
  ) {}

  /** Runs `work`, which takes an order in. */
  async whileAccepting<T>(work: () => Promise<T>): Promise<T> {
    this.accepting++;
    try {
      return await work();
    } finally {
      // Orders come in bursts; between two of them it must not look as if nobody came any more.
      setTimeout(() => {
        this.accepting--;
        this.admit();
      }, this.heldMs).unref();
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
    const limit = Math.max(this.least, this.most - this.accepting);
    while (this.running < limit) {
      const next = this.line.shift();
      if (!next) return;
      this.running++;
      next();
    }
  }
}
