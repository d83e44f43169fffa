/** Which records of a partition are done, and so up to where its offset may be committed although they end in any order. */
export class OffsetWindow {
  private readonly open: { readonly offset: number; done: boolean }[] = [];
  private next = 0;

  /** The first offset that was neither added nor passed over. */
  get nextOffset(): number {
    return this.next;
  }

  /** Whether the record at this offset was added before: it came again after the group was joined anew. */
  knows(offset: number): boolean {
    return offset < this.next;
  }

  /** Adds the next record; offsets rise, with gaps where Kafka has removed records. */
  add(offset: number): void {
    this.open.push({ offset, done: false });
    this.next = offset + 1;
  }

  /** Passes over offsets that hold no record. */
  skipTo(next: number): void {
    if (next > this.next) this.next = next;
  }

  done(offset: number): void {
    const entry = this.open.find((candidate) => candidate.offset === offset);
    if (entry) entry.done = true;
    while (this.open[0]?.done) this.open.shift();
  }

  /** The first offset that is not done: what may be committed. */
  get position(): number {
    return this.open[0]?.offset ?? this.next;
  }
}
