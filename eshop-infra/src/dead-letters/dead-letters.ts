import type { Kafka } from 'kafkajs';
import { readTopic, type TopicRecord } from '../kafka/read-topic.ts';
import { deadLetterTopic } from '../kafka/topics.ts';

/** A record that could not become an order, with why not. */
export interface DeadLetter {
  /** Its place among the topic's dead letters. */
  offset: string;
  /** When it was put there, ms since 1970. */
  at: number;
  code: string;
  cause: string;
  /** Where it came from: `topic/partition/offset`. */
  from: string;
  key: string;
  /** null: it was too large to be kept here. */
  value: string | null;
  /** As it came, without those that say why it is here. */
  headers: Record<string, string>;
}

/** Remembers, by its committed offset, up to where the dead letters have been replayed. */
const groupOf = (topic: string) => `eshop-replayed-${topic}`;

const OWN_HEADERS = 'dead-letter-';

/** The dead letters of one topic. They are never removed, so that it can be told later what came of each. */
export class DeadLetters {
  readonly #kafka: Kafka;
  readonly #topic: string;

  constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka;
    this.#topic = topic;
  }

  /** Oldest first: all that there are, or those that have not been replayed. */
  async list({ all = false } = {}): Promise<DeadLetter[]> {
    const from = new Map([[0, all ? 0n : await this.#mark()]]);
    const letters: DeadLetter[] = [];
    await readTopic(this.#kafka, deadLetterTopic(this.#topic), { from }, (record) => letters.push(letterOf(record)));
    return letters;
  }

  /**
   * Puts dead letters back to the end of the topic that they came from: those at the given offsets, or all that have not been
   * replayed. One that fails again becomes a new dead letter; one that is replayed twice is one order, since it bears its id.
   * @throws Error when one of the offsets holds no dead letter
   */
  async replay(offsets: readonly string[] = []): Promise<{ replayed: DeadLetter[]; tooLarge: DeadLetter[] }> {
    const letters = await this.list({ all: offsets.length > 0 });
    const unknown = offsets.find((offset) => !letters.some((letter) => letter.offset === offset));
    if (unknown !== undefined) throw new Error(`${deadLetterTopic(this.#topic)} has no record ${unknown}`);
    const chosen = offsets.length > 0 ? letters.filter(({ offset }) => offsets.includes(offset)) : letters;
    const replayed = chosen.filter(({ value }) => value !== null);
    if (replayed.length > 0) await this.#send(replayed);
    const last = letters.at(-1);
    if (offsets.length === 0 && last) await this.#setMark(BigInt(last.offset) + 1n);
    return { replayed, tooLarge: chosen.filter(({ value }) => value === null) };
  }

  async #send(letters: readonly DeadLetter[]): Promise<void> {
    const producer = this.#kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
    try {
      await producer.connect();
      const messages = letters.map(({ key, value, headers, offset }) => ({
        key,
        value,
        headers: { ...headers, 'replayed-from': `${deadLetterTopic(this.#topic)}/0/${offset}` },
      }));
      await producer.send({ topic: this.#topic, acks: -1, messages });
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

function letterOf({ offset, timestamp, key, value, headers }: TopicRecord): DeadLetter {
  const own = (name: string) => headers[`${OWN_HEADERS}${name}`] ?? '';
  return {
    offset,
    at: timestamp,
    code: own('code'),
    cause: own('cause'),
    from: `${own('topic')}/${own('partition')}/${own('offset')}`,
    key: key?.toString() ?? '',
    value: value?.toString() ?? null,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(OWN_HEADERS))),
  };
}
