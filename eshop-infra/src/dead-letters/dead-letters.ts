import type { Kafka } from 'kafkajs';
import { readTopic, type TopicRecord, type UnreadableRecords, unreadableText } from '../kafka/read-topic.ts';
import { deadLetterTopic } from '../kafka/topics.ts';

/** A record that could not become an order, with why not. */
export interface DeadLetter {
  /** Its place among the topic's dead letters. */
  offset: string;
  /** When it was put there, ms since 1970. */
  at: number;
  code: string;
  cause: string;
  /** Where it came from: `topic/partition/offset`, or `topic/partition/first-last` of a batch that could not be read. */
  from: string;
  /** Present: it stands for these records, which could not be read. They are where they came from. */
  batch?: OffsetRange;
  key: string;
  /** null: it was too large to be kept here, or is a batch. */
  value: string | null;
  /** As it came, without those that say why it is here. */
  headers: Record<string, string>;
}

interface OffsetRange {
  partition: number;
  first: string;
  last: string;
}

/** What came of a replay. */
export interface Replayed {
  replayed: DeadLetter[];
  tooLarge: DeadLetter[];
  /** Batches whose records cannot be read still, or are not there any more, with why. */
  unreadable: { letter: DeadLetter; cause: string }[];
}

/** A record to be put back. */
type Returned = Pick<TopicRecord, 'key' | 'value' | 'headers'>;

/** Remembers, by its committed offset, up to where the dead letters have been replayed. */
const groupOf = (topic: string) => `eshop-replayed-${topic}`;

export interface ListOptions {
  /** Also those that have been replayed. */
  all?: boolean;
  unreadable?: (letters: UnreadableRecords) => void;
}

const OWN_HEADERS = 'dead-letter-';

/** The dead letters of one topic. They are never removed, so that it can be told later what came of each. */
export class DeadLetters {
  readonly #kafka: Kafka;
  readonly #topic: string;

  constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka;
    this.#topic = topic;
  }

  /**
   * Oldest first: all that there are, or those that have not been replayed.
   * @param unreadable is told of dead letters that cannot be read themselves; default: throws
   */
  async list({ all = false, unreadable }: ListOptions = {}): Promise<DeadLetter[]> {
    const from = new Map([[0, all ? 0n : await this.#mark()]]);
    const letters: DeadLetter[] = [];
    const topic = deadLetterTopic(this.#topic);
    await readTopic(this.#kafka, topic, { from, unreadable }, (record) => letters.push(letterOf(record)));
    return letters;
  }

  /**
   * Puts dead letters back to the end of the topic that they came from: those at the given offsets, or all that have not been
   * replayed; of a batch that could not be read the records, if they can be read now. One that fails again becomes a new dead letter;
   * one that is replayed twice is one order, since it bears its id.
   * @param unreadable is told of dead letters that cannot be read themselves; default: throws
   * @throws Error when one of the offsets holds no dead letter
   */
  async replay(offsets: readonly string[] = [], unreadable?: ListOptions['unreadable']): Promise<Replayed> {
    const letters = await this.list({ all: offsets.length > 0, unreadable });
    const unknown = offsets.find((offset) => !letters.some((letter) => letter.offset === offset));
    if (unknown !== undefined) throw new Error(`${deadLetterTopic(this.#topic)} has no record ${unknown}`);
    const chosen = offsets.length > 0 ? letters.filter(({ offset }) => offsets.includes(offset)) : letters;
    const result: Replayed = { replayed: [], tooLarge: [], unreadable: [] };
    for (const letter of chosen) {
      if (letter.batch) await this.#replayBatch(letter, letter.batch, result);
      else if (letter.value === null) result.tooLarge.push(letter);
      else result.replayed.push(letter);
    }
    const whole = result.replayed.filter(({ batch }) => !batch);
    const records = whole.map((letter) => this.#returned(letter, { ...letter, key: Buffer.from(letter.key) }));
    if (records.length > 0) await this.#send(records);
    const last = letters.at(-1);
    if (offsets.length === 0 && last) await this.#setMark(BigInt(last.offset) + 1n);
    return result;
  }

  async #replayBatch(letter: DeadLetter, { partition, first, last }: OffsetRange, result: Replayed): Promise<void> {
    const [from, until] = [new Map([[partition, BigInt(first)]]), new Map([[partition, BigInt(last) + 1n]])];
    const records: Returned[] = [];
    const causes: string[] = [];
    const unreadable = (lost: UnreadableRecords) => void causes.push(unreadableText(this.#topic, lost));
    await readTopic(this.#kafka, this.#topic, { from, until, unreadable }, (record) =>
      records.push(this.#returned(letter, record)),
    );
    if (records.length > 0) await this.#send(records);
    else if (causes.length === 0) causes.push('its records are not in the topic any more');
    if (causes.length === 0) result.replayed.push(letter);
    else result.unreadable.push({ letter, cause: causes.join('; ') });
  }

  #returned(
    { offset }: DeadLetter,
    { key, value, headers }: Omit<Returned, 'value'> & { value: string | Buffer | null },
  ) {
    const from = { 'replayed-from': `${deadLetterTopic(this.#topic)}/0/${offset}` };
    return { key, value: typeof value === 'string' ? Buffer.from(value) : value, headers: { ...headers, ...from } };
  }

  async #send(messages: readonly Returned[]): Promise<void> {
    const producer = this.#kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
    try {
      await producer.connect();
      for (const portion of portionsOf(messages)) {
        await producer.send({ topic: this.#topic, acks: -1, messages: portion });
      }
    } finally {
      await producer.disconnect();
    }
  }

  async #mark(): Promise<bigint> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const asked = { groupId: groupOf(this.#topic), topics: [deadLetterTopic(this.#topic)] };
      const [found] = await admin.fetchOffsets(asked);
      const offset = BigInt(found?.partitions[0]?.offset ?? '-1');
      return offset < 0n ? 0n : offset;
    } finally {
      await admin.disconnect();
    }
  }

  async #setMark(offset: bigint): Promise<void> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const [groupId, topic] = [groupOf(this.#topic), deadLetterTopic(this.#topic)];
      await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: String(offset) }] });
    } finally {
      await admin.disconnect();
    }
  }
}

/** What goes in one request, which the brokers refuse above a MiB. */
const PORTION_BYTES = 524_288;

function* portionsOf(messages: readonly Returned[]): Generator<Returned[]> {
  let portion: Returned[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = (message.key?.length ?? 0) + (message.value?.length ?? 0);
    if (portion.length > 0 && bytes + size > PORTION_BYTES) {
      yield portion;
      [portion, bytes] = [[], 0];
    }
    portion.push(message);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

function letterOf({ offset, timestamp, key, value, headers }: TopicRecord): DeadLetter {
  const own = (name: string) => headers[`${OWN_HEADERS}${name}`] ?? '';
  const last = own('last-offset');
  const batch = last === '' ? undefined : { partition: Number(own('partition')), first: own('offset'), last };
  return {
    offset,
    at: timestamp,
    code: own('code'),
    cause: own('cause'),
    from: `${own('topic')}/${own('partition')}/${own('offset')}${batch ? `-${last}` : ''}`,
    ...(batch && { batch }),
    key: key?.toString() ?? '',
    value: value?.toString() ?? null,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(OWN_HEADERS))),
  };
}
