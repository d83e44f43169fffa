import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Logger as Pino } from 'pino';
import { withRequestContext } from '../context/index.js';
import { toContractError } from '../errors/to-contract-error.js';
import { DeadLetter, deadLetterOf, deadLetterTopic, UNREADABLE_BATCH, withoutValue } from './dead-letter.js';
import { SHORT_RETRY } from './kafka-client.js';
import { PartitionWorker, type Surroundings } from './partition-worker.js';
import { Places } from './places.js';
import type { FetchedRecord, KafkaRecord, OutgoingRecord } from './record.js';
import { RestartDelay } from './restart-delay.js';
import type { KafkaConsumerConfig } from './section.js';
import { RecordRefused } from './topic-writer.js';
import { type UnreadableBatch, unreadableOf } from './wire/message.js';

export interface KafkaConsumerOptions extends KafkaConsumerConfig {
  readonly groupID: string;
  readonly topic: string;
  /**
   * Carries a record out. Must bear the same record twice, also at the same time in two processes: after a crash or a
   * rebalance it comes again. Throws {@link DeadLetter} for a record that can never succeed; whatever else it throws means
   * "later", and the record's partition pauses.
   */
  handle(record: KafkaRecord): Promise<void>;
}

/** What a consumer needs besides its options. */
export interface ConsumerParts {
  readonly kafka: Kafka;
  readonly log: Pino;
  readonly send: (topic: string, record: OutgoingRecord) => Promise<void>;
  /** Told of every attempt at a record. */
  readonly observe: (ms: number, topic: string, group: string, outcome: 'done' | 'dead-letter' | 'retry') => void;
  /** Told each time that a batch could not be read, and when it is put aside. */
  readonly unreadable: (topic: string, group: string, outcome: 'dead-letter' | 'retry') => void;
  /** How long records under way may take once the consumer is to stop. */
  readonly drainMs: number;
}

const COMMIT_EVERY_MS = 200;
const MAX_BYTES_A_PARTITION = 65_536;
const LEAVE_MS = 10_000;

/** Reads a topic as a member of a group, for as long as it is not stopped: after any failure it joins again. */
export class KafkaConsumer {
  private session: Session | undefined;
  private restart: NodeJS.Timeout | undefined;
  private opening: Promise<void> = Promise.resolve();
  private readonly restartDelay = new RestartDelay();
  private stopping = false;

  constructor(
    private readonly options: KafkaConsumerOptions,
    private readonly parts: ConsumerParts,
  ) {}

  start(): void {
    this.opening = this.open();
  }

  /** Resolves while this is a live member of its group. */
  async check(): Promise<void> {
    if (!this.session?.isLive) throw Object.assign(new Error('not a member of the group'), { code: 'NOT_IN_GROUP' });
  }

  /** Lets the records under way end, commits their offsets and leaves the group. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restart);
    await this.opening;
    await this.session?.close(this.parts.drainMs);
  }

  private async open(): Promise<void> {
    const session = new Session(this.options, this.parts, (why) => this.again(session, why));
    this.session = session;
    try {
      await session.open();
    } catch (error) {
      this.again(session, error);
    }
  }

  private again(session: Session, why: unknown): void {
    if (this.session !== session) return;
    this.session = undefined;
    const { groupID, topic } = this.options;
    const delay = this.restartDelay.next(session.memberMs);
    this.parts.log.warn({ topic, groupID, delay, err: why }, 'a Kafka consumer lost its session and joins again');
    void session.close(0).then(() => {
      if (!this.stopping) this.restart = setTimeout(() => this.start(), delay);
    });
  }
}

/**
 * One membership in the group, from joining to leaving. kafkajs only reads: it hands its batches over at once and goes on
 * with its heartbeats, so that slow records never cost the membership. What is done with is committed here, in order.
 */
class Session implements Surroundings {
  private readonly consumer: Consumer;
  private readonly places: Places;
  private readonly workers = new Map<number, PartitionWorker>();
  private assigned: readonly number[] = [];
  private readonly unexpected = new Map<string, number>();
  private readonly joined = Promise.withResolvers<void>();
  private commitTimer: NodeJS.Timeout | undefined;
  private committing: Promise<void> = Promise.resolve();
  private watchdog: NodeJS.Timeout | undefined;
  private firstSign = 0;
  private lastSign = 0;
  private closed: Promise<void> | undefined;

  constructor(
    private readonly options: KafkaConsumerOptions,
    private readonly parts: ConsumerParts,
    private readonly lost: (why: unknown) => void,
  ) {
    const { sessionTimeoutMs, heartbeatMs, fetchWaitMs } = options;
    this.places = new Places(options.partitionsAtOnce);
    this.consumer = parts.kafka.consumer({
      groupId: options.groupID,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytesPerPartition: MAX_BYTES_A_PARTITION,
      allowAutoTopicCreation: false,
      // kafkajs gives up for ever on what it takes for fatal, so joining again is never left to it.
      retry: { ...SHORT_RETRY, restartOnFailure: async () => false },
    });
  }

  get isLive(): boolean {
    return this.lastSign > 0 && Date.now() - this.lastSign < this.options.sessionTimeoutMs;
  }

  /** How long this has been a member of the group, or was one. */
  get memberMs(): number {
    return this.lastSign - this.firstSign;
  }

  /** Resolves once this is a member of the group. */
  async open(): Promise<void> {
    const { consumer, options } = this;
    const { GROUP_JOIN, HEARTBEAT, CRASH } = consumer.events;
    consumer.on(GROUP_JOIN, (event) => this.onJoin(event));
    consumer.on(HEARTBEAT, () => {
      this.lastSign = Date.now();
    });
    consumer.on(CRASH, ({ payload }) => {
      this.joined.reject(payload.error);
      this.lost(payload.error);
    });
    this.joined.promise.catch(() => undefined);
    await consumer.connect();
    await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.partitionsAtOnce,
      eachBatch: (payload) => this.onBatch(payload),
    });
    await this.joined.promise;
    const silence = 2 * options.sessionTimeoutMs;
    this.watchdog = setInterval(() => {
      if (Date.now() - this.lastSign > silence) this.lost(new Error(`no heartbeat for ${silence} ms`));
    }, options.heartbeatMs);
  }

  /** Leaves the group after at most `drainMs`, in which records under way may end. */
  close(drainMs: number): Promise<void> {
    this.closed ??= this.end(drainMs);
    return this.closed;
  }

  async handle(record: FetchedRecord): Promise<boolean> {
    const started = performance.now();
    const outcome = await withRequestContext(
      { requestID: record.headers['request-id'], traceparent: record.headers.traceparent },
      () => this.attempt(record),
    );
    this.parts.observe(performance.now() - started, record.topic, this.options.groupID, outcome);
    return outcome !== 'retry';
  }

  advanced(): void {
    this.commitTimer ??= setTimeout(() => {
      this.commitTimer = undefined;
      // One after the other: one that kafkajs repeats must not overtake a later one and take the offset back.
      this.committing = this.committing.then(() => this.commit());
    }, COMMIT_EVERY_MS);
  }

  read(partition: number, on: boolean): void {
    const which = [{ topic: this.options.topic, partitions: [partition] }];
    try {
      if (on) this.consumer.resume(which);
      else this.consumer.pause(which);
    } catch (error) {
      // Between two sessions kafkajs has no group; the next session tells it everything again.
      this.parts.log.debug({ err: error }, 'a partition could not be paused or resumed');
    }
  }

  private onJoin({ payload }: ConsumerGroupJoinEvent): void {
    const { topic, groupID } = this.options;
    this.assigned = payload.memberAssignment[topic] ?? [];
    this.lastSign = Date.now();
    this.firstSign ||= this.lastSign;
    for (const [partition, worker] of this.workers) {
      if (this.assigned.includes(partition)) continue;
      this.workers.delete(partition);
      void worker.stop();
    }
    // Workers of partitions that were kept go on; what is read again from the committed offset they know already.
    for (const partition of this.assigned) {
      const worker = this.workers.get(partition);
      if (worker) worker.retell();
      else this.read(partition, true);
    }
    this.parts.log.info({ topic, groupID, partitions: this.assigned }, 'a Kafka consumer has joined its group');
    this.joined.resolve();
  }

  private async onBatch({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    // A batch may have been fetched before the group was joined anew, and its partition be another member's now.
    if (this.closed || !this.assigned.includes(partition)) return;
    let worker = this.workers.get(partition);
    if (worker?.isBeyond(Number(batch.highWatermark))) {
      this.parts.log.warn({ topic, partition }, 'the partition begins anew: its offsets went back');
      void worker.stop();
      worker = undefined;
    }
    if (!worker) {
      worker = new PartitionWorker(partition, this.options, this.places, this);
      this.workers.set(partition, worker);
    }
    const unreadable = unreadableOf(batch.messages.at(-1));
    const messages = unreadable ? batch.messages.slice(0, -1) : batch.messages;
    const records: FetchedRecord[] = messages.map((message) => recordOf(topic, partition, message));
    let read: number | undefined = Number(batch.lastOffset());
    // One that is known already came again from the committed offset, while it is being put aside.
    if (unreadable && unreadable.lastOffset >= worker.nextOffset) {
      if (this.fetchesAgain(worker, unreadable)) read = records.at(-1)?.offset;
      else records.push(standInOf(topic, worker, unreadable));
    }
    if (read === undefined) return;
    worker.feed(records, read + 1);
    // Only moves on where kafkajs reads next: nothing is committed by it.
    resolveOffset(String(read));
  }

  /**
   * A batch that cannot be read is fetched again some times, after a pause of its partition, since it may have been damaged on its
   * way only; what the broker itself cannot read, for as long as that takes.
   */
  private fetchesAgain(
    worker: PartitionWorker,
    { lastOffset, cause, canBeSkipped, ...batch }: UnreadableBatch,
  ): boolean {
    const { topic, groupID, unreadableAttempts } = this.options;
    const { partition } = worker;
    const offset = Math.max(batch.firstOffset, worker.nextOffset);
    const attempts = worker.countUnreadable(offset);
    this.parts.log.error({ topic, partition, offset, lastOffset, attempts, cause }, 'a batch cannot be read');
    if (canBeSkipped && attempts >= unreadableAttempts) return false;
    this.parts.unreadable(topic, groupID, 'retry');
    worker.fetchLater();
    return true;
  }

  private async attempt(record: FetchedRecord): Promise<'done' | 'dead-letter' | 'retry'> {
    const { topic, partition, offset } = record;
    const at = `${partition}/${offset}`;
    if (record.unreadable) return this.putAside(record, record.unreadable);
    try {
      await this.options.handle(record);
      this.unexpected.delete(at);
      return 'done';
    } catch (error) {
      if (error instanceof DeadLetter) return this.bury(record, error);
      const { code } = toContractError(error);
      if (code !== 'INTERNAL') {
        this.parts.log.warn({ topic, partition, offset, code, err: error }, 'a record failed for the moment');
        return 'retry';
      }
      const attempts = (this.unexpected.get(at) ?? 0) + 1;
      this.parts.log.error({ topic, partition, offset, attempts, err: error }, 'a record failed');
      if (attempts >= this.options.unexpectedAttempts) {
        const buried = await this.bury(record, new DeadLetter('INTERNAL', String(error), { cause: error }));
        if (buried === 'dead-letter') this.unexpected.delete(at);
        return buried;
      }
      this.unexpected.set(at, attempts);
      return 'retry';
    }
  }

  private async putAside(
    record: FetchedRecord,
    { lastOffset, cause }: UnreadableBatch,
  ): Promise<'dead-letter' | 'retry'> {
    const { topic, partition, offset } = record;
    const outcome = await this.bury(record, new DeadLetter(UNREADABLE_BATCH, cause));
    if (outcome === 'dead-letter') {
      this.parts.unreadable(topic, this.options.groupID, outcome);
      this.parts.log.error(
        { topic, partition, offset, lastOffset, cause },
        'a batch that cannot be read was put aside',
      );
    }
    return outcome;
  }

  private async bury(record: FetchedRecord, cause: DeadLetter): Promise<'dead-letter' | 'retry'> {
    const { topic, partition, offset } = record;
    const letter = deadLetterOf(record, cause);
    const target = deadLetterTopic(topic);
    try {
      await this.parts.send(target, letter).catch((error: unknown) => {
        if (error instanceof RecordRefused && error.tooLarge) return this.parts.send(target, withoutValue(letter));
        throw error;
      });
      this.parts.log.warn({ topic, partition, offset, code: cause.code, err: cause }, 'a record became a dead letter');
      return 'dead-letter';
    } catch (error) {
      this.parts.log.warn({ topic: target, partition, offset, err: error }, 'a dead letter could not be written yet');
      return 'retry';
    }
  }

  private async commit(): Promise<void> {
    const { topic } = this.options;
    const dirty = [...this.workers.values()].flatMap((worker) => {
      const offset = worker.uncommitted;
      return offset === undefined ? [] : [{ worker, offset }];
    });
    if (dirty.length === 0) return;
    try {
      const offsets = dirty.map(({ worker, offset }) => ({
        topic,
        partition: worker.partition,
        offset: String(offset),
      }));
      await this.consumer.commitOffsets(offsets);
      for (const { worker, offset } of dirty) worker.committed = offset;
    } catch (error) {
      // The group is being joined anew, or the broker is away: what is not committed now is with the next.
      this.parts.log.debug({ topic, err: error }, 'offsets could not be committed yet');
      if (!this.closed) this.advanced();
    }
  }

  private async end(drainMs: number): Promise<void> {
    clearInterval(this.watchdog);
    const stopped = Promise.all([...this.workers.values()].map((worker) => worker.stop()));
    await within(stopped, drainMs);
    clearTimeout(this.commitTimer);
    await within(
      this.committing.then(() => (drainMs > 0 ? this.commit() : undefined)),
      LEAVE_MS,
    );
    await within(this.consumer.disconnect(), LEAVE_MS);
  }
}

/** Waits for something that may fail or never end, but not longer than this. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work.catch(() => undefined), promise]);
  clearTimeout(timer);
}

function recordOf(topic: string, partition: number, message: KafkaMessage): KafkaRecord {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first) headers[name] = first.toString();
  }
  const { offset, timestamp, key, value } = message;
  return { topic, partition, offset: Number(offset), timestamp: Number(timestamp), key, value, headers };
}

/**
 * Stands for a batch that cannot be read, at the first offset that is not known, so that nothing behind that is committed before the
 * batch is put aside.
 */
function standInOf(
  topic: string,
  { partition, nextOffset }: PartitionWorker,
  unreadable: UnreadableBatch,
): FetchedRecord {
  const offset = Math.max(unreadable.firstOffset, nextOffset);
  return { topic, partition, offset, timestamp: Date.now(), key: null, value: null, headers: {}, unreadable };
}
