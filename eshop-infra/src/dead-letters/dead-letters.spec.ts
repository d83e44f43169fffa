import { randomUUID } from 'node:crypto';
import type { Admin, Producer } from 'kafkajs';
import { kafkaClient } from '../kafka/client.ts';
import { readTopic, type TopicRecord } from '../kafka/read-topic.ts';
import { deadLetterTopic, makeTopics } from '../kafka/topics.ts';
import { DeadLetters } from './dead-letters.ts';

const kafka = kafkaClient({ kafka: Number((process.env.TEST_KAFKA ?? '127.0.0.1:9092').split(':')[1]) }, 5);
const topic = `dead-${randomUUID()}`;
const letters = new DeadLetters(kafka, topic);
let admin: Admin;
let producer: Producer;

beforeAll(async () => {
  admin = kafka.admin();
  producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
  await admin.connect();
  await makeTopics(admin, [
    { topic, partitions: 2 },
    { topic: deadLetterTopic(topic), partitions: 1 },
  ]);
  await producer.connect();
});
afterAll(async () => {
  await producer.disconnect();
  await admin.deleteTopics({ topics: [topic, deadLetterTopic(topic)] });
  await admin.disconnect();
});

function bury(key: string, value: string | null) {
  const why = { 'dead-letter-code': 'INVALID_PARAMETER', 'dead-letter-cause': 'userID is missing' };
  const from = { 'dead-letter-topic': topic, 'dead-letter-partition': '1', 'dead-letter-offset': '17' };
  const headers = { 'order-id': key, ...why, ...from };
  return producer.send({ topic: deadLetterTopic(topic), messages: [{ key, value, headers }] });
}

async function back(): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  await readTopic(kafka, topic, {}, (record) => records.push(record));
  return records;
}

it('lists what is there with its cause, replays it once as it came, and keeps it', async () => {
  expect(await letters.list()).toEqual([]);
  expect(await letters.replay()).toEqual({ replayed: [], tooLarge: [] });
  await bury('a', '{"a":1}');
  await bury('b', null);
  const [first, second] = await letters.list();
  expect(first).toMatchObject({ offset: '0', code: 'INVALID_PARAMETER', cause: 'userID is missing', key: 'a' });
  expect(first).toMatchObject({ from: `${topic}/1/17`, value: '{"a":1}', headers: { 'order-id': 'a' } });
  expect(second).toMatchObject({ offset: '1', value: null });

  expect(await letters.replay()).toMatchObject({ replayed: [{ key: 'a' }], tooLarge: [{ key: 'b' }] });
  const records = await back();
  expect(records.map(({ key, value, headers }) => ({ key: String(key), value: String(value), headers }))).toEqual([
    { key: 'a', value: '{"a":1}', headers: { 'order-id': 'a', 'replayed-from': `${deadLetterTopic(topic)}/0/0` } },
  ]);

  expect(await letters.list()).toEqual([]);
  expect(await letters.replay()).toEqual({ replayed: [], tooLarge: [] });
  await bury('c', '{}');
  expect((await letters.list()).map(({ key }) => key)).toEqual(['c']);
  expect((await letters.list({ all: true })).map(({ key }) => key)).toEqual(['a', 'b', 'c']);

  expect((await letters.replay(['0'])).replayed.map(({ key }) => key)).toEqual(['a']);
  expect(await back()).toHaveLength(2);
  expect((await letters.list()).map(({ key }) => key)).toEqual(['c']);
  await expect(letters.replay(['9'])).rejects.toThrow('has no record 9');
});
