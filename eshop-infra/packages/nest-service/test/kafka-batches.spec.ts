import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CompressionTypes, type Consumer, type ConsumerCrashEvent } from 'kafkajs';
import type { KafkaRecord } from '../src/kafka/index.js';
import { createKafka } from '../src/kafka/kafka-client.js';
import { eventually, type TestTopic, testTopic } from '../src/testing/index.js';
import { compressTopic, kafkaConfig, Network, silent, startConsumer } from './support/kafka.js';

let topic: TestTopic;
let group: string;
const running: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  topic = await testTopic(2);
  group = `${topic.name}-group`;
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await topic.drop();
});

function start(handle: (record: KafkaRecord) => Promise<void>, network?: Network, more: object = {}) {
  const options = { topic: topic.name, groupID: group, handle, ...more };
  const started = startConsumer(topic.brokers, options, undefined, undefined, network);
  running.push(started);
  return started;
}

async function produce(messages: { key?: string; value: string | Buffer; headers?: object }[], partition = 0) {
  const producer = createKafka(kafkaConfig(topic.brokers), silent).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({
    topic: topic.name,
    acks: -1,
    compression: CompressionTypes.GZIP,
    messages: messages.map((message) => ({ ...message, headers: { ...message.headers }, partition })),
  });
  await producer.disconnect();
}

const until = (condition: () => boolean, what: string) => eventually(async () => condition() || undefined, what);

const committed = (...wanted: number[]) =>
  eventually(async () => {
    const offsets = await topic.committed(group);
    return wanted.every((offset, partition) => offsets[partition] === offset) || undefined;
  }, `the offsets ${wanted} to be committed`);

/** Ten records, of which each compresses well and none is alike. */
const numbered = (prefix: string, size: number, count = 10) =>
  Array.from({ length: count }, (_, i) => ({
    key: `${prefix}${i}`,
    value: `${prefix}${i}`.padEnd(size, 'the same again, '),
    headers: { number: String(i), ünusual: 'ä€😀' },
  }));

describe('compressed batches', () => {
  test.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'])('%s, small and large ones', async (codec) => {
    await compressTopic(topic.brokers, topic.name, codec);
    const sent = [...numbered('small-', 20), ...numbered('large-', 300_000, 3)];
    await topic.send(sent.slice(0, 10), 0);
    for (const record of sent.slice(10)) await topic.send([record], 0);
    await topic.send(numbered('later-', 2_000, 400), 0);
    const network = new Network();
    let plain = false;
    network.onAnswer = (answer) => {
      plain ||= answer.includes('the same again, '.repeat(100));
    };
    const seen: KafkaRecord[] = [];
    start(async (record) => void seen.push(record), network, { recordsAtOnce: 1 });
    await committed(413);
    expect(seen.map(({ offset }) => offset)).toEqual(Array.from({ length: 413 }, (_, offset) => offset));
    const read = seen
      .slice(0, 13)
      .map(({ key, value, headers }) => ({ key: String(key), value: String(value), headers }));
    expect(read).toEqual(sent);
    expect(plain).toBe(codec === 'uncompressed');
  });
});

/** Changes one byte of what the broker answers wherever the text stands, so often. */
function damaging(text: string, times = Number.POSITIVE_INFINITY): Network {
  const network = new Network();
  let left = times;
  network.onAnswer = (answer) => {
    for (let at = answer.indexOf(text); at >= 0 && left > 0; at = answer.indexOf(text, at + 1)) {
      answer[at] = (answer[at] as number) ^ 1;
      left--;
    }
  };
  return network;
}

const one = (value: string, key = 'k') => [{ key, value }];

describe('a batch that cannot be read', () => {
  test('is put aside with its offsets, while other partitions go on, and its own goes on behind it', async () => {
    await topic.send(one('before'), 0);
    await topic.send([...one('a'), ...one('poison'), ...one('b')], 0);
    await topic.send(one('after'), 0);
    const order: string[] = [];
    const { unreadable, errors, outcomes } = start(async ({ partition, value }) => {
      order.push(`${partition} ${String(value)}`);
      if (String(value) === 'before') await topic.send(one('other'), 1);
    }, damaging('poison'));
    await committed(5, 1);
    expect(order.filter((entry) => entry.startsWith('0'))).toEqual(['0 before', '0 after']);
    expect(order.indexOf('1 other')).toBeLessThan(order.indexOf('0 after'));
    expect(unreadable).toEqual(['retry', 'retry', 'retry', 'retry', 'dead-letter']);
    expect(outcomes.sort()).toEqual(['dead-letter', 'done', 'done', 'done']);
    const where = { topic: topic.name, partition: 0, offset: 1, lastOffset: 3, cause: 'its checksum is wrong' };
    expect(errors).toMatchObject([
      ...[1, 2, 3, 4, 5].map((attempts) => ({ ...where, attempts, msg: 'a batch cannot be read' })),
      { ...where, msg: 'a batch that cannot be read was put aside' },
    ]);
    const letters = await topic.deadLetters();
    expect(letters).toMatchObject([{ value: null }]);
    expect(letters[0]?.headers).toEqual({
      'dead-letter-code': 'UNREADABLE_BATCH',
      'dead-letter-cause': 'its checksum is wrong',
      'dead-letter-topic': topic.name,
      'dead-letter-partition': '0',
      'dead-letter-offset': '1',
      'dead-letter-last-offset': '3',
    });
  });

  test('is no dead letter when only a fetch of it was damaged', async () => {
    await topic.send([...one('a'), ...one('poison')], 0);
    const seen: string[] = [];
    const { unreadable } = start(async ({ value }) => void seen.push(String(value)), damaging('poison', 3));
    await committed(2);
    expect(seen).toEqual(['a', 'poison']);
    expect(unreadable).toEqual(['retry', 'retry', 'retry']);
    expect(await topic.deadLetters()).toEqual([]);
  });

  test('is not passed over before its dead letter is written', async () => {
    await topic.send(one('before'), 0);
    await topic.send([...one('poison'), ...one('a')], 0);
    await topic.send(one('after'), 0);
    await topic.send(one('other'), 1);
    let refused = 0;
    const started = startConsumer(
      topic.brokers,
      { topic: topic.name, groupID: group, handle: async () => undefined },
      async () => {
        refused++;
        throw new Error('no');
      },
      undefined,
      damaging('poison'),
    );
    running.push(started);
    await until(() => refused > 2, 'attempts to write the dead letter');
    await committed(1, 1);
    await started.stop();
    running.pop();
    expect((await topic.committed(group))[0]).toBe(1);
    start(async () => undefined, damaging('poison'));
    await committed(4, 1);
    expect(await topic.deadLetters()).toMatchObject([
      { headers: { 'dead-letter-offset': '1', 'dead-letter-last-offset': '2' } },
    ]);
  });

  test('among them one that would become too large', async () => {
    const before = process.memoryUsage.rss();
    await topic.send(one('before'), 0);
    await produce([{ value: Buffer.alloc(100 * 1_048_576) }, { value: 'with it' }]);
    await topic.send(one('after'), 0);
    const seen: string[] = [];
    start(async ({ value }) => void seen.push(String(value)));
    await committed(4);
    expect(seen).toEqual(['before', 'after']);
    expect((await topic.deadLetters()).map(({ headers }) => headers)).toMatchObject([
      {
        'dead-letter-cause': 'it holds more than 33554432 bytes',
        'dead-letter-offset': '1',
        'dead-letter-last-offset': '2',
      },
    ]);
    expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 1_048_576);
  });

  test.each([
    [-1, 'the broker fails to read it'],
    [2, 'the broker says that it is corrupt'],
  ])('by the broker itself (error %i): its partition waits until it can, the others go on', async (code, cause) => {
    await topic.send(one('first'), 0);
    await topic.send(one('other'), 1);
    let broken = true;
    const network = new Network();
    // Partition, error, two offsets, no aborted transactions, no replica, and the bytes of the records.
    network.onAnswer = (answer) => {
      const value = answer.indexOf('first');
      const start = answer.lastIndexOf(Buffer.from([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), value);
      if (broken && value >= 0) answer.writeInt16BE(code, start - 26);
    };
    const seen: string[] = [];
    const { errors, unreadable } = start(async ({ value }) => void seen.push(String(value)), network);
    await until(() => seen.includes('other') && unreadable.length > 6, 'attempts');
    expect(seen).toEqual(['other']);
    expect(errors[0]).toMatchObject({ partition: 0, offset: 0, cause });
    broken = false;
    await committed(1, 1);
    expect(seen).toEqual(['other', 'first']);
    expect(await topic.deadLetters()).toEqual([]);
  });
});

test("an answer in which a partition's number was damaged is not taken for another partition's", async () => {
  await topic.send([...one('a'), ...one('b'), ...one('mark'), ...one('c')], 0);
  await topic.send(one('other'), 1);
  const network = new Network();
  let damaged = 0;
  network.onAnswer = (answer) => {
    const value = answer.indexOf('mark');
    const start = answer.lastIndexOf(Buffer.from([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), value);
    if (value < 0 || damaged === 2) return;
    damaged++;
    answer.writeInt32BE(1, start - 30);
  };
  const seen: string[] = [];
  start(async ({ partition, value }) => void seen.push(`${partition} ${String(value)}`), network);
  await committed(4, 1);
  expect(seen.sort()).toEqual(['0 a', '0 b', '0 c', '0 mark', '1 other']);
  expect(damaged).toBe(2);
});

test('a group whose sessions all end soon after joining is joined ever more seldom', async () => {
  await topic.send(one('v'), 0);
  const joins: number[] = [];
  const crashing = (consumer: Consumer): Consumer => {
    consumer.on(consumer.events.GROUP_JOIN, () => joins.push(Date.now()));
    return {
      ...consumer,
      on: ((event: 'consumer.crash', listener: (crash: ConsumerCrashEvent) => void) => {
        if (event !== consumer.events.CRASH) return consumer.on(event, listener);
        return consumer.on(consumer.events.GROUP_JOIN, ({ id, type, timestamp }) =>
          setImmediate(() =>
            listener({ id, type, timestamp, payload: { error: new Error('crash'), groupId: group, restart: false } }),
          ),
        );
      }) as Consumer['on'],
    };
  };
  const options = { topic: topic.name, groupID: group, handle: async () => undefined };
  running.push(startConsumer(topic.brokers, options, undefined, crashing));
  await until(() => joins.length >= 5, 'five sessions');
  const pauses = joins.slice(1).map((at, i) => at - (joins[i] as number));
  expect(pauses[3]).toBeGreaterThanOrEqual(1_600);
});
