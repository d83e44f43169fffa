import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RecordRefused } from '../src/kafka/index.js';
import { createKafka } from '../src/kafka/kafka-client.js';
import { TopicWriter } from '../src/kafka/topic-writer.js';
import { eventually, type TestTopic, testTopic } from '../src/testing/index.js';
import { kafkaConfig, Network, silent } from './support/kafka.js';

let topic: TestTopic;
const writers: TopicWriter[] = [];
beforeAll(async () => {
  topic = await testTopic(3);
});
afterEach(async () => {
  for (const writer of writers.splice(0)) await writer.close();
});
afterAll(() => topic?.drop());

function writer(name = topic.name, more = {}, brokers = topic.brokers): TopicWriter {
  const config = kafkaConfig(brokers, more);
  const made = new TopicWriter(createKafka(config, silent), name, config, silent);
  writers.push(made);
  return made;
}

const texts = async () => (await topic.records()).map(({ value }) => String(value));

describe('a writer of records', () => {
  test('stores what is sent at the same time, each key in one partition and in order', async () => {
    const own = writer();
    const sends = Array.from({ length: 600 }, (_, i) =>
      own.send({ key: `key-${i % 7}`, value: `a${i}`, headers: { 'request-id': `r${i}` } }),
    );
    await Promise.all(sends);
    const records = (await topic.records()).filter(({ value }) => String(value).startsWith('a'));
    expect(records).toHaveLength(600);
    expect(records.find(({ value }) => String(value) === 'a17')?.headers).toEqual({ 'request-id': 'r17' });
    for (let key = 0; key < 7; key++) {
      const ofKey = records.filter((record) => String(record.key) === `key-${key}`);
      expect(new Set(ofKey.map(({ partition }) => partition)).size).toBe(1);
      const numbers = ofKey.map(({ value }) => Number(String(value).slice(1)));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  test('answers UNAVAILABLE in time when no broker can be reached', async () => {
    const own = writer(topic.name, { sendTimeoutMs: 300 }, ['127.0.0.1:1']);
    await expect(own.send({ key: 'k', value: 'never' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('was not stored'),
    });
  });

  test('answers UNAVAILABLE at once when too many records wait', async () => {
    const own = writer(topic.name, { sendTimeoutMs: 500, sendQueueLimit: 2 }, ['127.0.0.1:1']);
    const waiting = [own.send({ key: 'k', value: 'x' }), own.send({ key: 'k', value: 'y' })];
    await expect(own.send({ key: 'k', value: 'z' })).rejects.toThrow('too many records');
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('refuses what Kafka does not take, and only that', async () => {
    const own = writer();
    const [large, small] = await Promise.allSettled([
      own.send({ key: 'large', value: Buffer.alloc(2_000_000) }),
      own.send({ key: 'small', value: 'b' }),
    ]);
    expect(large).toMatchObject({ status: 'rejected' });
    const { reason } = large as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(RecordRefused);
    expect((reason as RecordRefused).tooLarge).toBe(true);
    expect(small.status).toBe('fulfilled');
  });

  test('waits for a topic that does not exist yet', async () => {
    const own = writer(`${topic.name}-missing`, { sendTimeoutMs: 400 });
    await expect(own.send({ key: 'k', value: 'x' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('stores everything that it is sent while connections break', async () => {
    const network = new Network();
    const config = kafkaConfig(topic.brokers, { requestTimeoutMs: 300, connectTimeoutMs: 300, sendTimeoutMs: 20_000 });
    const own = new TopicWriter(network.kafka(config), topic.name, config, silent);
    writers.push(own);
    await own.send({ key: 'c', value: 'c-first' });
    network.cut();
    const sends = Array.from({ length: 20 }, (_, i) => own.send({ key: 'c', value: `c${i}` }));
    setImmediate(() => {
      network.up = true;
    });
    await Promise.all(sends);
    const stored = await texts();
    for (let i = 0; i < 20; i++) expect(stored).toContain(`c${i}`);
  });

  // A broker takes a batch with the sequence numbers of the one before for its repeat and acknowledges it unstored.
  test('never takes a record for stored that the broker took for a repeat', async () => {
    const network = new Network();
    const config = kafkaConfig(topic.brokers, { requestTimeoutMs: 200, connectTimeoutMs: 300, sendTimeoutMs: 1_500 });
    const own = new TopicWriter(network.kafka(config), topic.name, config, silent);
    writers.push(own);
    await own.send({ key: 'd', value: 'd-first' });
    network.deaf = true;
    // Stored, but the answers are lost until the send is given up.
    await expect(own.send({ key: 'd', value: 'd-lost-answer' })).rejects.toThrow('not known');
    await eventually(async () => network.attempts === 0 || undefined, 'the last attempt to fail');
    network.deaf = false;
    await own.send({ key: 'd', value: 'd-next' });
    expect(await texts()).toContain('d-next');
  });
});
