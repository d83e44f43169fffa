import { randomUUID } from 'node:crypto';
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs';

/** A record as it lies in its topic. */
export interface TopicRecord {
  partition: number;
  offset: string;
  /** When it was written, ms since 1970. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
}

export interface ReadOptions {
  /** Per partition, the first record to read; default: the first that is there. */
  from?: ReadonlyMap<number, bigint>;
  /** Per partition, the record before which to stop; default: the end as it is now. */
  until?: ReadonlyMap<number, bigint>;
}

const SILENCE_MS = 20_000;

/**
 * Reads a topic once, as a group of its own that commits nothing. Partitions come interleaved, each in its own order.
 * @throws Error when Kafka does not answer or stays silent
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  { from, until }: ReadOptions,
  each: (record: TopicRecord) => void,
): Promise<void> {
  const open = await ranges(kafka, topic, { from, until });
  if (open.size === 0) return;
  const groupId = `eshop-read-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consume(consumer, topic, open, each);
  } finally {
    await consumer.disconnect();
    await forget(kafka, groupId);
  }
}

/** Per partition that has something to read: the first record and the one before which to stop. */
async function ranges(
  kafka: Kafka,
  topic: string,
  { from, until }: ReadOptions,
): Promise<Map<number, [bigint, bigint]>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const open = new Map<number, [bigint, bigint]>();
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const first = larger(BigInt(low), from?.get(partition) ?? 0n);
      const end = smaller(BigInt(high), until?.get(partition) ?? (until ? 0n : BigInt(high)));
      if (first < end) open.set(partition, [first, end]);
    }
    return open;
  } finally {
    await admin.disconnect();
  }
}

function consume(
  consumer: Consumer,
  topic: string,
  open: Map<number, [bigint, bigint]>,
  each: (record: TopicRecord) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const silent = () => reject(new Error(`Kafka sends nothing of ${topic} for ${SILENCE_MS / 1000} s`));
  let timer = setTimeout(silent, SILENCE_MS);
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  const running = consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      const { partition, messages } = batch;
      const range = open.get(partition);
      if (!range) return consumer.pause([{ topic, partitions: [partition] }]);
      clearTimeout(timer);
      timer = setTimeout(silent, SILENCE_MS);
      const [first, end] = range;
      for (const message of messages) {
        const offset = BigInt(message.offset);
        if (offset >= first && offset < end) each(recordOf(partition, message));
      }
      if (BigInt(batch.lastOffset()) < end - 1n) return;
      open.delete(partition);
      if (open.size === 0) resolve();
    },
  });
  running.catch(reject);
  return promise.finally(() => clearTimeout(timer));
}

/** Kafka would forget an empty group by itself, but only after a week. */
async function forget(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // a group without commits may be gone already
  } finally {
    await admin.disconnect();
  }
}

function recordOf(partition: number, { offset, timestamp, key, value, headers }: KafkaMessage): TopicRecord {
  const texts: Record<string, string> = {};
  for (const [name, given] of Object.entries(headers ?? {})) {
    const first = Array.isArray(given) ? given[0] : given;
    if (first !== undefined) texts[name] = first.toString();
  }
  return { partition, offset, timestamp: Number(timestamp), key, value, headers: texts };
}

const larger = (a: bigint, b: bigint) => (a > b ? a : b);
const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
