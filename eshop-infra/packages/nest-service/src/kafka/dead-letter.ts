import type { KafkaRecord, OutgoingRecord } from './record.js';

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

const MAX_CAUSE = 1_000;

/** The record as it was, with headers that say why it is here and where it comes from. */
export function deadLetterOf(record: KafkaRecord, cause: DeadLetter): OutgoingRecord {
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
