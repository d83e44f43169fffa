import { randomUUID } from 'node:crypto';
import { type Admin, CompressionTypes, ConfigResourceTypes, type Kafka, type Producer } from 'kafkajs';
import { kafkaClient } from '../../kafka/client.ts';
import { readTopic } from '../../kafka/read-topic.ts';
import { deadLetterTopic, makeTopics } from '../../kafka/topics.ts';
import { audit } from '../audit.ts';
import { reportText } from '../report.ts';
import { World } from '../testing/world.ts';

const port = Number((process.env.TEST_KAFKA ?? '127.0.0.1:9092').split(':')[1]);
let world: World;
let kafka: Kafka;
let admin: Admin;
let producer: Producer;
let topic: string;
let group: string;

beforeAll(async () => {
  world = await World.create();
  kafka = kafkaClient({ kafka: port }, 5);
  admin = kafka.admin();
  await admin.connect();
});
afterAll(async () => {
  await Promise.all([admin.disconnect(), world.drop()]);
});

beforeEach(async () => {
  await world.clear();
  await world.product(1, 100);
  topic = `audit-${randomUUID()}`;
  group = `audit-group-${randomUUID()}`;
  await makeTopics(admin, [
    { topic, partitions: 2 },
    { topic: deadLetterTopic(topic), partitions: 1 },
  ]);
  producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
  await producer.connect();
});
afterEach(async () => {
  // one that lived on would go on asking for the topic that is gone
  await producer.disconnect();
  await admin.deleteTopics({ topics: [topic, deadLetterTopic(topic)] });
});

/** Writes a record into partition 0 and returns its offset. */
async function write(value: string): Promise<string> {
  const [written] = await producer.send({ topic, messages: [{ partition: 0, value }] });
  return written?.baseOffset ?? '';
}

const record = (orderID: string) => write(JSON.stringify({ userID: 7, productID: 1, orderID }));

function bury(offset: string) {
  const headers = { 'dead-letter-topic': topic, 'dead-letter-partition': '0', 'dead-letter-offset': offset };
  return producer.send({ topic: deadLetterTopic(topic), messages: [{ value: 'x', headers }] });
}

/** Says that all records before this one are done with. */
const commit = (offset: string) => admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset }] });

const run = () => audit(world.url, { schemas: world.schemas, queue: { kafka, topic, group } });

async function found(): Promise<string[]> {
  return (await run()).violations.map(({ invariant, subject, message }) => `${invariant} ${subject}: ${message}`);
}

describe('I9', () => {
  it('holds when each record that was read led to an order or a dead letter', async () => {
    await record(await world.placed());
    await record(await world.cancelled());
    await bury(await write('not JSON'));
    await commit('3');
    await record('not read yet');
    const report = await run();
    expect(report).toMatchObject({ violations: [], records: { read: 3, dead: 1, unreadable: 0 } });
    expect(reportText(report)).toContain('3 records read, 1 of them dead letters');
  });

  it('holds while nothing was written, and while nothing was read', async () => {
    expect(await found()).toEqual([]);
    await record('not read yet');
    expect(await found()).toEqual([]);
  });

  it('names a record whose order is unknown', async () => {
    await record('lost');
    await commit('1');
    expect(await found()).toEqual([
      `I9 record ${topic}/0/0: ${'is read and names order lost, which is unknown; nor is it a dead letter'}`,
    ]);
  });

  it('names a record that names no order and is no dead letter', async () => {
    await bury(await write('{"userID":1}'));
    await write('{"userID":1}');
    await commit('2');
    expect(await found()).toEqual([`I9 record ${topic}/0/1: is read and names no order, yet it is no dead letter`]);
  });

  it('names a record that was committed before its order was taken up', async () => {
    const orderID = await world.order({ state: 'queued', status: null, pay: null, dtm: null });
    await record(orderID);
    expect(await found()).toEqual([]);
    await commit('1');
    expect(await found()).toEqual([`I9 record ${topic}/0/0: is read, but order ${orderID} waits in the queue still`]);
  });
});

describe('records that cannot be read', () => {
  /** A batch that becomes too large: two records. */
  async function bomb(to = topic): Promise<string> {
    const messages = [{ value: Buffer.alloc(40 * 1_048_576) }, { value: '{}' }].map((one) => ({
      ...one,
      partition: 0,
    }));
    const [written] = await producer.send({ topic: to, compression: CompressionTypes.GZIP, messages });
    return written?.baseOffset ?? '';
  }

  function buryBatch(first: string, last: string) {
    const range = { 'dead-letter-offset': first, 'dead-letter-last-offset': last };
    const headers = { 'dead-letter-topic': topic, 'dead-letter-partition': '0', ...range };
    return producer.send({ topic: deadLetterTopic(topic), messages: [{ value: null, headers }] });
  }

  const cause = 'it holds more than 33554432 bytes';

  it('are named with their offsets, unless a dead letter stands for them; what lies behind them is judged', async () => {
    await record(await world.placed());
    await bomb();
    await record('lost');
    await commit('4');
    expect(await found()).toEqual([
      `I9 record ${topic}/0/1-2: cannot be read (${cause}), yet it is no dead letter`,
      `I9 record ${topic}/0/3: is read and names order lost, which is unknown; nor is it a dead letter`,
    ]);
    await buryBatch('1', '1');
    await bury('3');
    expect(await found()).toHaveLength(1);
    await buryBatch('2', '2');
    const report = await run();
    expect(report).toMatchObject({ violations: [], records: { read: 3, dead: 2, unreadable: 1 } });
    expect(reportText(report)).toContain(
      '3 records read, 2 of them dead letters, 1 batches among them that cannot be read',
    );
  });

  it('are no matter before they are read', async () => {
    await bomb();
    await commit('0');
    expect(await found()).toEqual([]);
  });

  it('are dead letters although they can be read meanwhile', async () => {
    await write('not JSON');
    await write('nor this');
    await buryBatch('0', '1');
    await commit('2');
    expect(await run()).toMatchObject({ violations: [], records: { read: 2, dead: 2, unreadable: 0 } });
  });

  it('are found among the dead letters, too', async () => {
    await bomb(deadLetterTopic(topic));
    expect(await found()).toEqual([`I9 dead letters ${deadLetterTopic(topic)}/0/0-1: cannot be read: ${cause}`]);
  });
});

describe('reading a topic', () => {
  it.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'])('whose broker writes it as %s', async (codec) => {
    const configEntries = [{ name: 'compression.type', value: codec }];
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
    await admin.alterConfigs({ validateOnly: false, resources });
    const values = Array.from({ length: 50 }, (_, i) => `${i} `.repeat(5_000));
    await producer.send({
      topic,
      messages: values.map((value) => ({ partition: 1, key: 'k', value, headers: { h: 'ä' } })),
    });
    const seen: string[] = [];
    await readTopic(kafka, topic, {}, ({ key, value, headers }) => seen.push(`${key} ${headers.h} ${value}`));
    expect(seen).toEqual(values.map((value) => `k ä ${value}`));
  });

  it('ends where a transaction ended', async () => {
    const transactional = kafka.producer({
      transactionalId: `t-${randomUUID()}`,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await transactional.connect();
    for (const [value, commits] of [
      ['kept', true],
      ['dropped', false],
    ] as const) {
      const transaction = await transactional.transaction();
      await transaction.send({ topic, messages: [{ partition: 0, value }] });
      await (commits ? transaction.commit() : transaction.abort());
    }
    await transactional.disconnect();
    const seen: string[] = [];
    await readTopic(kafka, topic, {}, ({ value }) => seen.push(String(value)));
    expect(seen).toEqual(['kept']);
  });

  it('gives the records between two offsets of each partition, with their headers, and leaves no group behind', async () => {
    for (let number = 0; number < 5; number++) {
      const message = { key: `k${number}`, value: `v${number}`, headers: { number: String(number) } };
      await producer.send({ topic, messages: [{ partition: number % 2, ...message }] });
    }
    const seen: string[] = [];
    await readTopic(kafka, topic, { from: new Map([[0, 1n]]) }, ({ partition, offset, key, value, headers }) => {
      seen.push([partition, offset, key, value, headers.number].join(' '));
    });
    expect(seen.sort()).toEqual(['0 1 k2 v2 2', '0 2 k4 v4 4', '1 0 k1 v1 1', '1 1 k3 v3 3']);
    const until: string[] = [];
    await readTopic(kafka, topic, { until: new Map([[0, 1n]]) }, ({ value }) => until.push(String(value)));
    expect(until).toEqual(['v0']);
    const { groups } = await admin.listGroups();
    expect(groups.filter(({ groupId }) => groupId.startsWith('eshop-read-'))).toEqual([]);
  });
});
