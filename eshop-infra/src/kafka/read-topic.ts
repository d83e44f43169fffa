import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs';
import { unreadableOf } from '../../packages/nest-service/src/kafka/wire/message.ts';

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

/** Records that lie in a topic and cannot be read. */
export interface UnreadableRecords {
  partition: number;
  firstOffset: bigint;
  lastOffset: bigint;
  cause: string;
}

export interface ReadOptions {
  /** Per partition, the first record to read; default: the first that is there. */
  from?: ReadonlyMap<number, bigint>;
  /** Per partition, the record before which to stop; default: the end as it is now. */
  until?: ReadonlyMap<number, bigint>;
  /** Told what cannot be read, also when it is fetched again; reading goes on behind it. Default: throws. */
  unreadable?: (records: UnreadableRecords) => void;
}

const SILENCE_MS = 20_000;
const FETCHES = 4;
const FETCH_AGAIN_MS = 100;

/**
 * Reads a topic once, as a group of its own that commits nothing. Partitions come interleaved, each in its own order.
 * @throws Error when Kafka does not answer or stays silent
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  { from, until, unreadable }: ReadOptions,
  each: (record: TopicRecord) => void,
): Promise<void> {
  const open = await ranges(kafka, topic, { from, until });
  if (open.size === 0) return;
  const groupId = `eshop-read-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consume(consumer, topic, open, { each, unreadable });
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
  { each, unreadable }: Readers,
): Promise<void> {
  const fetches = new Map<string, number>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const silent = () => reject(new Error(`Kafka sends nothing of ${topic} for ${SILENCE_MS / 1000} s`));
  let timer = setTimeout(silent, SILENCE_MS);
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  const reached = (partition: number, lastOffset: bigint) => {
    const range = open.get(partition);
    if (!range || lastOffset < range[1] - 1n) return;
    open.delete(partition);
    if (open.size === 0) resolve();
  };
  // What holds no record, as the marker of a transaction does, is not handed over.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, batchSize, lastOffset } }) => {
    if (batchSize === 0) reached(partition, BigInt(lastOffset));
  });
  const running = consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset }) => {
      const { partition, messages } = batch;
      const range = open.get(partition);
      if (!range) return consumer.pause([{ topic, partitions: [partition] }]);
      clearTimeout(timer);
      timer = setTimeout(silent, SILENCE_MS);
      const [first, end] = range;
      const fault = unreadableOf(messages.at(-1));
      for (const message of fault ? messages.slice(0, -1) : messages) {
        const offset = BigInt(message.offset);
        if (offset >= first && offset < end) each(recordOf(partition, message));
        resolveOffset(message.offset);
      }
      if (fault) {
        const at = `${partition}/${fault.firstOffset}`;
        const times = (fetches.get(at) ?? 0) + 1;
        fetches.set(at, times);
        // It may have been damaged on its way only.
        if (times < FETCHES && BigInt(fault.firstOffset) < end) return void (await delay(FETCH_AGAIN_MS * times));
        // Nobody knows what lies behind what the broker itself cannot read.
        const last = fault.canBeSkipped ? BigInt(fault.lastOffset) : end - 1n;
        const lost = { firstOffset: larger(BigInt(fault.firstOffset), first), lastOffset: smaller(last, end - 1n) };
        const records = { partition, ...lost, cause: fault.cause };
        if (!unreadable) return reject(new Error(unreadableText(topic, records)));
        if (lost.firstOffset <= lost.lastOffset) unreadable(records);
        resolveOffset(String(fault.lastOffset));
        return reached(partition, last);
      }
      resolveOffset(batch.lastOffset());
      reached(partition, BigInt(batch.lastOffset()));
    },
  });
  running.catch(reject);
  return promise.finally(() => clearTimeout(timer));
}

interface Readers {
  each: (record: TopicRecord) => void;
  unreadable: ReadOptions['unreadable'];
}

/** Which records cannot be read, and why, for people. */
export function unreadableText(
  topic: string,
  { partition, firstOffset, lastOffset, cause }: UnreadableRecords,
): string {
  return `records ${topic}/${partition}/${firstOffset} to ${lastOffset} cannot be read: ${cause}`;
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
    if (first) texts[name] = first.toString();
  }
  return { partition, offset, timestamp: Number(timestamp), key, value, headers: texts };
}

const larger = (a: bigint, b: bigint) => (a > b ? a : b);
const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
