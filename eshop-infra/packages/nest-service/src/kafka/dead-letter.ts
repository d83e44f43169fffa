import type { FetchedRecord, OutgoingRecord } from './record.js';

/** Thrown by a handler whose record can never succeed: it goes to the topic's dead letters. */
export class DeadLetter extends Error {
  /** `code` names the kind of cause, for example INVALID_PARAMETER; the message says it to people. */
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'DeadLetter';
  }
}

/** Where a topic's dead letters are. */
export function deadLetterTopic(topic: string): string {
  return `${topic}.dead-letter`;
}

/** Code of a dead letter that stands for all records of a batch that cannot be read; their bytes are where they came from. */
export const UNREADABLE_BATCH = 'UNREADABLE_BATCH';

const MAX_CAUSE = 1_000;

/** The record as it was, with headers that say why it is here and where it comes from. */
export function deadLetterOf(record: FetchedRecord, cause: DeadLetter): OutgoingRecord {
  const position = `${record.topic}/${record.partition}/${record.offset}`;
  return {
    key: record.key && record.key.length > 0 ? record.key.toString() : position,
    value: record.value,
    headers: {
      ...record.headers,
      'dead-letter-code': cause.code,
      'dead-letter-cause': cause.message.slice(0, MAX_CAUSE),
      'dead-letter-topic': record.topic,
      'dead-letter-partition': String(record.partition),
      'dead-letter-offset': String(record.offset),
      ...(record.unreadable && { 'dead-letter-last-offset': String(record.unreadable.lastOffset) }),
    },
  };
}

/** For a record so large that the headers do not fit beside it: without its value, which is still where it came from. */
export function withoutValue(letter: OutgoingRecord): OutgoingRecord {
  const { key, value, headers } = letter;
  return {
    key,
    value: null,
    headers: { ...headers, 'dead-letter-value-bytes': String(value === null ? 0 : Buffer.byteLength(value)) },
  };
}
