/** Work on one key is done piece after piece, work on different keys side by side. */
export class InTurn {
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** Whether work on this key is under way. */
  has(key: string): boolean {
    return this.#underWay.has(key);
  }

  /** `first`: nothing was under way for this key. */
  async run<T>(key: string, work: (first: boolean) => Promise<T>): Promise<T> {
    const before = this.#underWay.get(key);
    const next = (): Promise<T> => work(false);
    const current = before ? before.then(next, next) : work(true);
    this.#underWay.set(key, current);
    try {
      return await current;
    } finally {
      if (this.#underWay.get(key) === current) this.#underWay.delete(key);
    }
  }
}
