import { ContractError } from '@eshop/proto';
import { type Kafka, Partitioners, type Producer } from 'kafkajs';
import type { Logger as Pino } from 'pino';
import { SHORT_RETRY } from './kafka-client.js';
import type { OutgoingRecord } from './record.js';
import type { KafkaConfig } from './section.js';

const BATCH_RECORDS = 500;
/** Well below the brokers' usual limit of a MiB, so that a batch is never refused for what records are together. */
const BATCH_BYTES = 524_288;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
const REFUSED = [...TOO_LARGE, 'INVALID_RECORD', 'CORRUPT_MESSAGE'];

interface Pending {
  readonly record: OutgoingRecord;
  readonly deadline: number;
  attempted: boolean;
  settle(error?: Error): void;
}

/**
 * Writes the records of one topic: while a request is under way the next batch gathers, so that a lone record never waits
 * and many cost one request. Records are stored by all in-sync replicas, in the order in which they were given.
 *
 * The producer is idempotent. When a request fails for good, kafkajs does not know whether the broker has it and gives its
 * sequence numbers to the next batch, which the broker would then acknowledge as a repeat without storing it. So such a
 * producer is thrown away; the next one has a new id. A record may then be in the topic twice, but none is lost.
 */
export class TopicWriter {
  /** In the order of their deadlines, which is that of their arrival. */
  private readonly open = new Set<Pending>();
  private waiting: Pending[] = [];
  private producer: Producer | undefined;
  private draining: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;
  private closed = false;

  constructor(
    private readonly kafka: Kafka,
    readonly topic: string,
    private readonly config: Pick<KafkaConfig, 'sendTimeoutMs' | 'sendQueueLimit' | 'requestTimeoutMs'>,
    private readonly log: Pino,
  ) {}

  /** Resolves when the record is stored. Rejects with UNAVAILABLE when that is not certain in time, INTERNAL when Kafka does not take it. */
  send(record: OutgoingRecord): Promise<void> {
    if (record.key === '') return Promise.reject(new ContractError('INTERNAL', 'a record needs a key'));
    if (this.closed || this.open.size >= this.config.sendQueueLimit) {
      const why = this.closed ? 'is shutting down' : 'has too many records to write';
      return Promise.reject(new ContractError('UNAVAILABLE', `the writer of ${this.topic} ${why}`));
    }
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        record,
        deadline: Date.now() + this.config.sendTimeoutMs,
        attempted: false,
        settle: (error) => {
          if (!this.open.delete(pending)) return;
          if (error) reject(error);
          else resolve();
        },
      };
      this.open.add(pending);
      this.waiting.push(pending);
      this.watch();
      this.start();
    });
  }

  /** Writes what is waiting, as far as its deadlines allow, and disconnects. */
  async close(): Promise<void> {
    this.closed = true;
    await this.draining;
    clearTimeout(this.timer);
    await this.discard();
  }

  private start(): void {
    this.draining ??= this.drain().finally(() => {
      this.draining = undefined;
      if (this.waiting.length > 0) this.start();
    });
  }

  private async drain(): Promise<void> {
    // Sends of the same turn of the event loop go together.
    await new Promise(setImmediate);
    for (let batch = this.take(); batch.length > 0; batch = this.take()) await this.write(batch);
  }

  private take(): Pending[] {
    const batch: Pending[] = [];
    let bytes = 0;
    let taken = 0;
    for (const pending of this.waiting) {
      const { value } = pending.record;
      const size = value === null ? 0 : Buffer.byteLength(value);
      if (batch.length > 0 && (batch.length === BATCH_RECORDS || bytes + size > BATCH_BYTES)) break;
      taken++;
      if (!this.open.has(pending)) continue;
      batch.push(pending);
      bytes += size;
    }
    this.waiting = this.waiting.slice(taken);
    return batch;
  }

  private async write(batch: readonly Pending[]): Promise<void> {
    try {
      this.producer ??= await this.connect();
      for (const pending of batch) pending.attempted = true;
      await this.producer.send({
        topic: this.topic,
        acks: -1,
        timeout: this.config.requestTimeoutMs,
        messages: batch.map(({ record }) => ({ key: record.key, value: record.value, headers: { ...record.headers } })),
      });
      this.failures = 0;
      for (const { settle } of batch) settle();
    } catch (error) {
      await this.discard();
      if (REFUSED.includes(typeOf(error))) await this.oneByOne(batch, error);
      else await this.again(batch, error);
    }
  }

  /** One record that Kafka does not take must not spoil the others. */
  private async oneByOne(batch: readonly Pending[], error: unknown): Promise<void> {
    const [only, ...others] = batch;
    if (only && others.length === 0)
      only.settle(new RecordRefused(this.topic, TOO_LARGE.includes(typeOf(error)), error));
    else for (const pending of batch) await this.write([pending]);
  }

  private async again(batch: readonly Pending[], error: unknown): Promise<void> {
    this.log.warn({ topic: this.topic, records: batch.length, err: error }, 'records could not be written yet');
    this.waiting = [...batch.filter((pending) => this.open.has(pending)), ...this.waiting];
    if (this.waiting.length === 0) return;
    const pause = Math.min(MIN_PAUSE_MS * 2 ** this.failures++, MAX_PAUSE_MS);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: SHORT_RETRY,
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  private async discard(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    // What it still has to say concerns nobody any more.
    await producer?.disconnect().catch(() => undefined);
  }

  /** One timer for all: the first of the open records is the first to be late. */
  private watch(): void {
    if (this.timer) return;
    const [first] = this.open;
    if (!first) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        const now = Date.now();
        for (const pending of this.open) {
          if (pending.deadline > now) break;
          pending.settle(late(this.topic, pending.attempted));
        }
        this.watch();
      },
      Math.max(first.deadline - Date.now(), 1),
    );
  }
}

/** Kafka does not take this record, now or later. */
export class RecordRefused extends ContractError {
  constructor(
    topic: string,
    readonly tooLarge: boolean,
    cause: unknown,
  ) {
    super('INTERNAL', `topic ${topic} does not take the record`, { cause });
  }
}

function late(topic: string, attempted: boolean): ContractError {
  const what = attempted ? 'it is not known whether the record was stored' : 'the record was not stored';
  return new ContractError('UNAVAILABLE', `topic ${topic} cannot be written to in time: ${what}`);
}

/** The broker's name for an error that kafkajs may have wrapped several times. */
function typeOf(error: unknown): string {
  const { type, cause } = error as { type?: unknown; cause?: unknown };
  if (typeof type === 'string') return type;
  return typeof cause === 'object' && cause !== null ? typeOf(cause) : '';
}
