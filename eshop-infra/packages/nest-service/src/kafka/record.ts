import type { UnreadableBatch } from './wire/message.js';

/** A record to be written. */
export interface OutgoingRecord {
  /** Decides the partition. Never empty: without one a repeat could go to another partition. */
  readonly key: string;
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A record as it was read. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a fetch has brought. */
export interface FetchedRecord extends KafkaRecord {
  /** Present: this is no record, but stands for a batch that cannot be read. */
  readonly unreadable?: UnreadableBatch;
}
