import { OffsetWindow } from './offset-window.js';
import type { Guest, Places } from './places.js';
import type { FetchedRecord } from './record.js';
import type { KafkaConsumerConfig } from './section.js';

/** Records that wait here while a request for more may take its time. */
const MANY = 256;
const FEW = 128;
/** Records after which a partition lets others have its place. */
const TURN = 64;

/** What a worker needs of its consumer. */
export interface Surroundings {
  /** Tries one record; true when it is done with, false when it is to be tried again later. */
  handle(record: FetchedRecord): Promise<boolean>;
  /** The offset that may be committed has moved on. */
  advanced(): void;
  /** Stops or resumes the reading of a partition. */
  read(partition: number, on: boolean): void;
}

type Settings = Pick<KafkaConsumerConfig, 'recordsAtOnce' | 'retryMinMs' | 'retryMaxMs'>;

/**
 * Works on the records of one partition, several at a time. A record that fails for the moment holds up its own partition,
 * which pauses longer each time, and no other.
 */
export class PartitionWorker implements Guest {
  private readonly window = new OffsetWindow();
  private waiting: FetchedRecord[] = [];
  private running = 0;
  private turn = 0;
  private failures = 0;
  private pause: NodeJS.Timeout | undefined;
  private fetchPause: NodeJS.Timeout | undefined;
  /** How often in a row a batch that cannot be read came, and where it begins. */
  private unreadable = { offset: -1, attempts: 0 };
  private reading = true;
  private stopped = false;
  private idle = Promise.withResolvers<void>();
  /** What the broker knows to be done with. */
  committed = -1;

  constructor(
    readonly partition: number,
    private readonly settings: Settings,
    private readonly places: Places,
    private readonly around: Surroundings,
  ) {}

  /** Takes the records of a batch; those that it has already are left out. `nextOffset` follows the batch's last record. */
  feed(records: readonly FetchedRecord[], nextOffset: number): void {
    if (this.stopped) return;
    for (const record of records) {
      if (this.window.knows(record.offset)) continue;
      this.window.add(record.offset);
      this.waiting.push(record);
    }
    this.window.skipTo(nextOffset);
    this.pump();
  }

  /** The offset that may be committed; undefined when the broker knows it. */
  get uncommitted(): number | undefined {
    const { position } = this.window;
    return position > 0 && position > this.committed ? position : undefined;
  }

  /** Whether this worker has seen records beyond the end of the partition, which must have begun anew. */
  isBeyond(endOffset: number): boolean {
    return this.window.knows(endOffset);
  }

  /** The first offset that has not come yet. */
  get nextOffset(): number {
    return this.window.nextOffset;
  }

  /** Counts a batch that cannot be read; returns how often it has come. */
  countUnreadable(offset: number): number {
    const attempts = this.unreadable.offset === offset ? this.unreadable.attempts + 1 : 1;
    this.unreadable = { offset, attempts };
    return attempts;
  }

  /** Reads nothing further for a moment, which is longer each time that the batch comes that cannot be read. */
  fetchLater(): void {
    if (this.stopped) return;
    clearTimeout(this.fetchPause);
    this.fetchPause = setTimeout(
      () => {
        this.fetchPause = undefined;
        this.regulate();
      },
      this.delayAfter(this.unreadable.attempts - 1),
    );
    this.regulate();
  }

  /** Tells the consumer again whether this partition is to be read; it forgets when it joins the group anew. */
  retell(): void {
    this.around.read(this.partition, this.reading);
  }

  /** Begins no further record. Resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.pause);
    clearTimeout(this.fetchPause);
    this.pause = undefined;
    this.waiting = [];
    if (this.running > 0) await this.idle.promise;
    this.places.leave(this);
  }

  admitted(): void {
    this.pump();
  }

  private pump(): void {
    while (this.mayBegin()) {
      const record = this.waiting.shift();
      if (record) void this.run(record);
    }
    if (this.running === 0) {
      const again = this.waiting.length > 0 && !this.pause && this.turn >= TURN;
      if (this.waiting.length === 0 || this.pause || again) {
        this.turn = 0;
        this.places.leave(this);
      }
      // Behind those who wait already.
      if (again && !this.stopped && this.places.enter(this)) queueMicrotask(() => this.pump());
    }
    this.regulate();
  }

  private mayBegin(): boolean {
    if (this.stopped || this.pause || this.waiting.length === 0 || this.running >= this.settings.recordsAtOnce) {
      return false;
    }
    return this.places.enter(this) && (this.turn < TURN || !this.places.isContested);
  }

  private async run(record: FetchedRecord): Promise<void> {
    this.running++;
    this.turn++;
    const done = await this.around.handle(record);
    this.running--;
    if (done) {
      this.failures = 0;
      this.window.done(record.offset);
      this.around.advanced();
    } else if (!this.stopped) {
      this.putBack(record);
      this.holdOn();
    }
    if (this.stopped) {
      if (this.running === 0) this.idle.resolve();
    } else this.pump();
  }

  /** Before all later records. */
  private putBack(record: FetchedRecord): void {
    const index = this.waiting.findIndex(({ offset }) => offset > record.offset);
    this.waiting.splice(index < 0 ? this.waiting.length : index, 0, record);
  }

  private holdOn(): void {
    if (this.pause) return;
    this.pause = setTimeout(
      () => {
        this.pause = undefined;
        this.pump();
      },
      this.delayAfter(this.failures++),
    );
  }

  private delayAfter(failures: number): number {
    const { retryMinMs, retryMaxMs } = this.settings;
    return Math.min(retryMinMs * 2 ** Math.min(failures, 20), retryMaxMs) * (0.75 + Math.random() / 4);
  }

  private regulate(): void {
    const on = !this.pause && !this.fetchPause && this.waiting.length < (this.reading ? MANY : FEW);
    if (on === this.reading || this.stopped) return;
    this.reading = on;
    this.around.read(this.partition, on);
  }
}
