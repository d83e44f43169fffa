/** Longest that a read waits for the one before it, milliseconds: one that hangs must not hold up the others. */
const WAIT_MS = 200;

/**
 * Gives the same answer to all who ask for the same thing while they wait for it: a crowd that reads one list costs two reads
 * at a time, however large it is. A read is joined only before it begins, so that everybody sees what was committed before
 * they asked.
 */
export class SharedReads<T> {
  private readonly running = new Map<string, Promise<void>>();
  private readonly next = new Map<string, Promise<T>>();

  /** The answer of `read`, which may be that of another caller with the same key. */
  get(key: string, read: () => Promise<T>): Promise<T> {
    const waiting = this.next.get(key);
    if (waiting) return waiting;
    const before = this.running.get(key);
    if (!before) return this.begin(key, read);
    const joined = atMost(before, WAIT_MS).then(() => {
      this.next.delete(key);
      return this.begin(key, read);
    });
    this.next.set(key, joined);
    return joined;
  }

  private begin(key: string, read: () => Promise<T>): Promise<T> {
    const answer = read();
    // Those who wait for their turn have a read of their own, whatever becomes of this one.
    const end = answer
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        if (this.running.get(key) === end) this.running.delete(key);
      });
    this.running.set(key, end);
    return answer;
  }
}

function atMost(end: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void end.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
