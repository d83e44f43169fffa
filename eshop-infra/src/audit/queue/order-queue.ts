import type { Kafka } from 'kafkajs';
import { readTopic } from '../../kafka/read-topic.ts';
import { deadLetterTopic } from '../../kafka/topics.ts';

/** Where the orders' records are. */
export interface QueueOptions {
  kafka: Kafka;
  topic: string;
  /** The consumers whose committed offsets say what has been read. */
  group: string;
}

/** A record that the order service says it has done with. */
export interface QueueRecord {
  /** `topic/partition/offset` */
  position: string;
  /** The order that it names; undefined when it names none. */
  orderID: string | undefined;
  /** Whether it is among the dead letters. */
  dead: boolean;
}

/** Every record that the group has committed, with whether it became a dead letter. */
export async function committedRecords({ kafka, topic, group }: QueueOptions): Promise<QueueRecord[]> {
  const until = await committedOffsets(kafka, topic, group);
  const records: QueueRecord[] = [];
  await readTopic(kafka, topic, { until }, ({ partition, offset, value }) => {
    records.push({ position: `${topic}/${partition}/${offset}`, orderID: orderIdOf(value), dead: false });
  });
  // a dead letter is written before its record is committed: so they are read afterwards
  const dead = new Set<string>();
  await readTopic(kafka, deadLetterTopic(topic), {}, ({ headers }) => {
    const from = (name: string) => headers[`dead-letter-${name}`] ?? '';
    dead.add(`${from('topic')}/${from('partition')}/${from('offset')}`);
  });
  for (const record of records) record.dead = dead.has(record.position);
  return records;
}

/** Per partition, the offset after the last record that the group has done with. */
async function committedOffsets(kafka: Kafka, topic: string, group: string): Promise<Map<number, bigint>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const committed = found?.partitions ?? [];
    return new Map(committed.map(({ partition, offset }) => [partition, BigInt(offset) < 0n ? 0n : BigInt(offset)]));
  } finally {
    await admin.disconnect();
  }
}

function orderIdOf(value: Buffer | null): string | undefined {
  try {
    const { orderID } = JSON.parse(value?.toString() ?? '') as { orderID?: unknown };
    return typeof orderID === 'string' ? orderID : undefined;
  } catch {
    return undefined;
  }
}
