import { randomUUID } from 'node:crypto';
import { type Admin, CompressionTypes, type Producer } from 'kafkajs';
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
  expect(await letters.replay()).toEqual({ replayed: [], tooLarge: [], unreadable: [] });
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
  expect(await letters.replay()).toEqual({ replayed: [], tooLarge: [], unreadable: [] });
  await bury('c', '{}');
  expect((await letters.list()).map(({ key }) => key)).toEqual(['c']);
  expect((await letters.list({ all: true })).map(({ key }) => key)).toEqual(['a', 'b', 'c']);

  expect((await letters.replay(['0'])).replayed.map(({ key }) => key)).toEqual(['a']);
  expect(await back()).toHaveLength(2);
  expect((await letters.list()).map(({ key }) => key)).toEqual(['c']);
  await expect(letters.replay(['9'])).rejects.toThrow('has no record 9');
});

describe('a dead letter of a batch that could not be read', () => {
  const batch = `dead-batch-${randomUUID()}`;
  const ofBatch = new DeadLetters(kafka, batch);
  beforeAll(() =>
    makeTopics(admin, [
      { topic: batch, partitions: 2 },
      { topic: deadLetterTopic(batch), partitions: 1 },
    ]),
  );
  afterAll(() => admin.deleteTopics({ topics: [batch, deadLetterTopic(batch)] }));

  const send = (
    topic: string,
    messages: { key?: string; value: string | Buffer; headers?: Record<string, string> }[],
  ) =>
    producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: messages.map((message) => ({ ...message, partition: topic === batch ? 1 : 0 })),
    });
  const letter = (first: string, last: string) => ({
    value: '',
    headers: {
      'dead-letter-code': 'UNREADABLE_BATCH',
      'dead-letter-cause': 'its checksum is wrong',
      'dead-letter-topic': batch,
      'dead-letter-partition': '1',
      'dead-letter-offset': first,
      'dead-letter-last-offset': last,
    },
  });
  const back = async () => {
    const found: unknown[] = [];
    await readTopic(kafka, batch, { unreadable: () => undefined }, ({ key, value, headers }) => {
      if (headers['replayed-from']) found.push({ key: String(key), value: String(value), headers });
    });
    return found;
  };

  it('is replayed as its records, once they can be read', async () => {
    const headers = { 'order-id': '7' };
    await send(batch, [{ key: 'before', value: 'v' }]);
    await send(batch, [
      { key: 'a', value: 'A'.repeat(400_000), headers },
      { key: 'b', value: 'B'.repeat(400_000) },
      { key: 'c', value: 'C' },
    ]);
    await send(batch, [{ key: 'after', value: 'v' }]);
    await send(deadLetterTopic(batch), [letter('1', '3')]);
    expect(await ofBatch.list()).toMatchObject([
      { from: `${batch}/1/1-3`, batch: { partition: 1, first: '1', last: '3' } },
    ]);
    expect(await ofBatch.replay()).toMatchObject({ replayed: [{ offset: '0' }], tooLarge: [], unreadable: [] });
    const from = { 'replayed-from': `${deadLetterTopic(batch)}/0/0` };
    expect(await back()).toEqual(
      expect.arrayContaining([
        { key: 'a', value: 'A'.repeat(400_000), headers: { ...headers, ...from } },
        { key: 'b', value: 'B'.repeat(400_000), headers: from },
        { key: 'c', value: 'C', headers: from },
      ]),
    );
    expect(await back()).toHaveLength(3);
  });

  it('says when they still cannot be read or are gone, and can be replayed later', async () => {
    const [bomb] = await send(batch, [{ key: 'x', value: Buffer.alloc(40 * 1_048_576) }]);
    const at = bomb?.baseOffset ?? '';
    await send(deadLetterTopic(batch), [letter(at, at), letter('99', '100')]);
    const { unreadable, replayed } = await ofBatch.replay();
    expect(replayed).toEqual([]);
    expect(unreadable.map(({ cause }) => cause)).toEqual([
      `records ${batch}/1/${at} to ${at} cannot be read: it holds more than 33554432 bytes`,
      'its records are not in the topic any more',
    ]);
    expect(await ofBatch.list()).toEqual([]);
    expect((await ofBatch.replay(['1'])).unreadable).toHaveLength(1);
    expect(await ofBatch.list({ all: true })).toHaveLength(3);
  });

  it('that cannot be read itself is told, and the others are listed', async () => {
    await send(deadLetterTopic(batch), [{ value: Buffer.alloc(40 * 1_048_576) }]);
    await send(deadLetterTopic(batch), [letter('1', '3')]);
    await expect(ofBatch.list()).rejects.toThrow(`records ${deadLetterTopic(batch)}/0/3 to 3 cannot be read`);
    const lost: unknown[] = [];
    const found = await ofBatch.list({ unreadable: (letters) => lost.push(letters) });
    expect(found).toMatchObject([{ offset: '4' }]);
    expect(lost).toMatchObject([{ partition: 0, firstOffset: 3n, lastOffset: 3n }]);
  });
});
