import { randomUUID } from 'node:crypto';
import { type Admin, Kafka, logLevel, Partitioners } from 'kafkajs';
import { correctFetch } from '../kafka/fetch.js';
import type { KafkaRecord, OutgoingRecord } from '../kafka/record.js';
import { correctRequestQueue } from '../kafka/request-queue.js';
import { unreadableOf } from '../kafka/wire/message.js';
import { eventually } from './eventually.js';

/** A topic of a test's own. */
export interface TestTopic {
  readonly name: string;
  /** host:port of the brokers, as the configuration section `kafka` wants them. */
  readonly brokers: string[];
  send(records: readonly OutgoingRecord[], partition?: number): Promise<void>;
  /** All records that are in the topic now and can be read, partition by partition. */
  records(): Promise<KafkaRecord[]>;
  /** Its dead letters, in order. */
  deadLetters(): Promise<KafkaRecord[]>;
  /** What a group has committed, by partition; -1 = nothing yet. */
  committed(groupID: string): Promise<number[]>;
  /** Members of a group that have joined it. */
  members(groupID: string): Promise<number>;
  drop(): Promise<void>;
}

function kafkaOfTests(): { kafka: Kafka; brokers: string[] } {
  correctRequestQueue();
  correctFetch();
  const brokers = (process.env.TEST_KAFKA ?? '127.0.0.1:9092').split(',');
  return { kafka: new Kafka({ brokers, clientId: 'test', logLevel: logLevel.NOTHING }), brokers };
}

/** Makes a topic with a random name on TEST_KAFKA (default 127.0.0.1:9092), and one for its dead letters. */
export async function testTopic(partitions = 3, prefix = 'test'): Promise<TestTopic> {
  const { kafka, brokers } = kafkaOfTests();
  const name = `${prefix}-${randomUUID()}`;
  const admin = kafka.admin();
  await admin.connect();
  await createTopics(admin, [
    { topic: name, numPartitions: partitions },
    { topic: `${name}.dead-letter`, numPartitions: 1 },
  ]);
  return { ...topicOf(kafka, admin, name), brokers };
}

async function createTopics(admin: Admin, topics: { topic: string; numPartitions: number }[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  // A broker that is busy does not know a topic yet that it has just agreed to make; kafkajs' own wait gives up on that.
  const names = topics.map(({ topic }) => topic);
  const led = () =>
    admin.fetchTopicMetadata({ topics: names }).then(
      (found) => found.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0)) || undefined,
      () => undefined,
    );
  await eventually(led, `leaders of ${names.join(' and ')}`);
}

function topicOf(kafka: Kafka, admin: Admin, name: string): Omit<TestTopic, 'brokers'> {
  return {
    name,
    send: async (records, partition) => {
      // Idempotent, since a partition that does not answer yet makes kafkajs send those of the others again.
      const producer = kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
      });
      await producer.connect();
      await producer.send({
        topic: name,
        acks: -1,
        messages: records.map(({ key, value, headers }) => ({
          key,
          value,
          ...(headers && { headers: { ...headers } }),
          ...(partition !== undefined && { partition }),
        })),
      });
      await producer.disconnect();
    },
    records: () => readAll(kafka, admin, name),
    deadLetters: () => readAll(kafka, admin, `${name}.dead-letter`),
    committed: async (groupID) => {
      const [offsets] = await admin.fetchOffsets({ groupId: groupID, topics: [name] });
      return (offsets?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
    },
    members: async (groupID) => {
      const { groups } = await admin.describeGroups([groupID]);
      const [group] = groups;
      return group?.state === 'Stable' ? group.members.length : 0;
    },
    drop: async () => {
      await admin.deleteTopics({ topics: [name, `${name}.dead-letter`] }).catch(() => undefined);
      await admin.disconnect();
    },
  };
}

async function readAll(kafka: Kafka, admin: Admin, topic: string): Promise<KafkaRecord[]> {
  const ends = await admin.fetchTopicOffsets(topic);
  const wanted = ends.filter(({ high, low }) => Number(high) > Number(low));
  if (wanted.length === 0) return [];
  const records: KafkaRecord[] = [];
  const reached = new Map<number, number>();
  const consumer = kafka.consumer({ groupId: `read-${randomUUID()}`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const { offset, timestamp, key, value, headers = {} } = message;
      reached.set(partition, Number(offset) + 1);
      if (unreadableOf(message)) return;
      records.push({
        topic,
        partition,
        offset: Number(offset),
        timestamp: Number(timestamp),
        key,
        value,
        headers: Object.fromEntries(Object.entries(headers).map(([header, text]) => [header, String(text)])),
      });
    },
  });
  await eventually(
    async () => wanted.every(({ partition, high }) => (reached.get(partition) ?? 0) >= Number(high)) || undefined,
    `all records of ${topic} to be read`,
  );
  await consumer.disconnect();
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}
