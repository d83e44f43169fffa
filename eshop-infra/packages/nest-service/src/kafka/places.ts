/** Someone who may have to wait for a place. */
export interface Guest {
  /** Called when a place has become free for it. */
  admitted(): void;
}

/** Lets a limited number of partitions work at a time; the others wait in line. */
export class Places {
  private readonly inside = new Set<Guest>();
  private readonly line = new Set<Guest>();

  constructor(private readonly limit: number) {}

  /** True when the guest has a place; otherwise it now waits in line. */
  enter(guest: Guest): boolean {
    if (this.inside.has(guest)) return true;
    if (this.inside.size < this.limit && this.line.size === 0) {
      this.inside.add(guest);
      return true;
    }
    this.line.add(guest);
    return false;
  }

  get isContested(): boolean {
    return this.line.size > 0;
  }

  /** Gives the place back, or the place in line. */
  leave(guest: Guest): void {
    this.line.delete(guest);
    if (!this.inside.delete(guest)) return;
    const [next] = this.line;
    if (!next) return;
    this.line.delete(next);
    this.inside.add(next);
    next.admitted();
  }
}
