import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContractError } from '@eshop/proto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Batch, Consumer } from 'kafkajs';
import { requestContext } from '../src/index.js';
import { DeadLetter, type KafkaRecord } from '../src/kafka/index.js';
import { RecordRefused } from '../src/kafka/topic-writer.js';
import { eventually, type TestTopic, testTopic } from '../src/testing/index.js';
import { carriedOut, consumerProcess, startConsumer } from './support/kafka.js';

const PARTITIONS = 3;

let topic: TestTopic;
let group: string;
const running: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  topic = await testTopic(PARTITIONS);
  // A consumer that was killed stays a member for a while, also of the next test's group.
  group = `${topic.name}-group`;
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await topic.drop();
});

const numbered = (count: number, prefix = 'v') =>
  Array.from({ length: count }, (_, i) => ({ key: `${prefix}${i}`, value: `${prefix}${i}` }));

function start(handle: (record: KafkaRecord) => Promise<void>, more: object = {}) {
  const started = startConsumer(topic.brokers, { topic: topic.name, groupID: group, handle, ...more });
  running.push(started);
  return started;
}

const seenAll = (seen: readonly string[], count: number) =>
  eventually(async () => (new Set(seen).size >= count ? true : undefined), `${count} records`);

const committed = (total: number) =>
  eventually(async () => {
    const offsets = await topic.committed(group);
    return offsets.reduce((sum, offset) => sum + Math.max(offset, 0), 0) === total ? offsets : undefined;
  }, `${total} records to be committed`);

describe('a consumer', () => {
  test('carries out what is in the topic already and what comes, once each, and commits it', async () => {
    await topic.send(numbered(100));
    const seen: string[] = [];
    start(async ({ value }) => void seen.push(String(value)));
    await seenAll(seen, 100);
    await topic.send(numbered(50, 'w'));
    await seenAll(seen, 150);
    await committed(150);
    expect(seen).toHaveLength(150);
  });

  test('runs in the context that the record came with', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const seen: unknown[] = [];
    start(async () => void seen.push(requestContext()));
    await topic.send([{ key: 'k', value: 'v', headers: { 'request-id': 'r-1', traceparent } }]);
    await eventually(async () => (seen.length > 0 ? true : undefined), 'the record');
    expect(seen[0]).toMatchObject({ requestID: 'r-1', traceID: 'a'.repeat(32) });
  });

  test('works on several records of a partition at once and commits in order', async () => {
    await topic.send(numbered(20), 0);
    const first = Promise.withResolvers<void>();
    let atOnce = 0;
    let most = 0;
    const seen: string[] = [];
    start(
      async ({ offset, value }) => {
        atOnce++;
        most = Math.max(most, atOnce);
        if (offset === 3) await first.promise;
        else await new Promise(setImmediate);
        atOnce--;
        seen.push(String(value));
      },
      { recordsAtOnce: 4 },
    );
    await seenAll(seen, 19);
    // All but the fourth are done: nothing beyond it is committed.
    await eventually(async () => ((await topic.committed(group))[0] === 3 ? true : undefined), 'offset 3');
    first.resolve();
    await committed(20);
    expect(most).toBe(4);
  });

  test('works on no more partitions at once than it may', async () => {
    for (let partition = 0; partition < PARTITIONS; partition++)
      await topic.send(numbered(80, `p${partition}-`), partition);
    const busy = new Map<number, number>();
    let most = 0;
    const seen: string[] = [];
    start(
      async ({ partition, value }) => {
        busy.set(partition, (busy.get(partition) ?? 0) + 1);
        most = Math.max(most, [...busy.values()].filter((count) => count > 0).length);
        await new Promise(setImmediate);
        busy.set(partition, (busy.get(partition) ?? 0) - 1);
        seen.push(String(value));
      },
      { partitionsAtOnce: 2 },
    );
    await seenAll(seen, 240);
    expect(most).toBe(2);
  });

  test('a record that fails for the moment pauses its partition and no other, and is tried until it succeeds', async () => {
    let down = true;
    const seen: string[] = [];
    const { outcomes } = start(async ({ partition, value }) => {
      if (partition === 0 && down) throw new ContractError('UNAVAILABLE', 'down');
      seen.push(String(value));
    });
    await topic.send(numbered(20, 'a'), 0);
    await topic.send(numbered(600, 'b'), 1);
    await seenAll(seen, 600);
    await eventually(async () => (outcomes.filter((one) => one === 'retry').length > 20 ? true : undefined), 'retries');
    expect(seen.filter((value) => value.startsWith('a'))).toEqual([]);
    await committed(600);
    down = false;
    await seenAll(seen, 620);
    await committed(620);
    expect(await topic.deadLetters()).toEqual([]);
  });

  test('puts a record that cannot succeed among the dead letters, with its cause and where it came from', async () => {
    await topic.send([{ key: 'k', value: 'poison', headers: { 'order-id': '7' } }, ...numbered(5)], 2);
    const seen: string[] = [];
    start(async ({ value }) => {
      if (String(value) === 'poison') throw new DeadLetter('INVALID_PARAMETER', 'it is poison');
      seen.push(String(value));
    });
    await committed(6);
    expect(seen).toHaveLength(5);
    const [letter, ...others] = await topic.deadLetters();
    expect(others).toEqual([]);
    expect(String(letter?.key)).toBe('k');
    expect(String(letter?.value)).toBe('poison');
    expect(letter?.headers).toEqual({
      'order-id': '7',
      'dead-letter-code': 'INVALID_PARAMETER',
      'dead-letter-cause': 'it is poison',
      'dead-letter-topic': topic.name,
      'dead-letter-partition': '2',
      'dead-letter-offset': '0',
    });
  });

  test('gives up a record that fails for no known reason only after its attempts', async () => {
    await topic.send(numbered(3), 0);
    let attempts = 0;
    start(
      async ({ value }) => {
        if (String(value) !== 'v1') return;
        attempts++;
        throw new TypeError('a defect');
      },
      { unexpectedAttempts: 3 },
    );
    await committed(3);
    expect(attempts).toBe(3);
    expect((await topic.deadLetters())[0]?.headers).toMatchObject({
      'dead-letter-code': 'INTERNAL',
      'dead-letter-cause': 'TypeError: a defect',
    });
  });

  test('does not pass over a record whose dead letter could not be written, and cuts one that is too large', async () => {
    await topic.send([{ key: 'k', value: 'poison' }], 0);
    const letters: unknown[] = [];
    let failures = 0;
    const started = startConsumer(
      topic.brokers,
      {
        topic: topic.name,
        groupID: group,
        handle: async () => {
          throw new DeadLetter('CONFLICT', 'no');
        },
      },
      async (name, record) => {
        if (failures++ < 3) throw new ContractError('UNAVAILABLE', 'down');
        if (record.value !== null) throw new RecordRefused(name, true, undefined);
        letters.push(record);
      },
    );
    running.push(started);
    await committed(1);
    expect(letters).toMatchObject([{ key: 'k', value: null, headers: { 'dead-letter-value-bytes': '6' } }]);
    expect(started.outcomes.at(-1)).toBe('dead-letter');
  });

  test('joins when its topic comes into being', async () => {
    const missing = await testTopic(1);
    await missing.drop();
    const later = start(async () => undefined);
    await eventually(async () => (await topic.members(group)) || undefined, 'the member');
    await expect(later.consumer.check()).resolves.toBeUndefined();
    const lost = startConsumer(missing.brokers, {
      topic: missing.name,
      groupID: `${group}-lost`,
      handle: async () => undefined,
    });
    running.push(lost);
    await expect(lost.consumer.check()).rejects.toMatchObject({ code: 'NOT_IN_GROUP' });
  });

  test('finishes what is under way when it is stopped, and commits it', async () => {
    await topic.send(numbered(200), 0);
    const started: string[] = [];
    const ended: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { stop } = start(
      async ({ value }) => {
        started.push(String(value));
        await gate.promise;
        ended.push(String(value));
      },
      { recordsAtOnce: 5 },
    );
    await eventually(async () => (started.length === 5 ? true : undefined), 'five records to be under way');
    const stopped = stop();
    gate.resolve();
    await stopped;
    expect(ended).toEqual(started);
    expect((await topic.committed(group))[0]).toBe(5);
    expect(await topic.members(group)).toBe(0);
  });

  test('commits one offset after the other, so that none that was held up takes a later one back', async () => {
    const held = Promise.withResolvers<void>();
    const overtaken = Promise.withResolvers<void>();
    let calls = 0;
    const holdFirst = (consumer: Consumer): Consumer => ({
      ...consumer,
      commitOffsets: async (offsets) => {
        const first = ++calls === 1;
        if (first) {
          held.resolve();
          await Promise.race([overtaken.promise, new Promise((resolve) => setTimeout(resolve, 1_000))]);
        }
        await consumer.commitOffsets(offsets);
        if (!first) overtaken.resolve();
      },
    });
    const options = { topic: topic.name, groupID: group, handle: async () => undefined };
    running.push(startConsumer(topic.brokers, options, undefined, holdFirst));
    await topic.send([{ key: 'k', value: 'v0' }]);
    await held.promise;
    await topic.send([{ key: 'k', value: 'v1' }]);
    await committed(2);
  });
});

describe('several consumers of a group', () => {
  test("leave alone a batch of another member's partition, fetched before the group was joined anew", async () => {
    let batches = 0;
    const asOfAnother = (consumer: Consumer): Consumer => ({
      ...consumer,
      run: (config = {}) =>
        consumer.run({
          ...config,
          eachBatch: async (payload) => {
            const batch = Object.assign(Object.create(payload.batch) as Batch, { partition: PARTITIONS });
            await config.eachBatch?.({ ...payload, batch });
            batches++;
          },
        }),
    });
    const seen: string[] = [];
    const handle = async ({ value }: KafkaRecord) => void seen.push(String(value));
    const options = { topic: topic.name, groupID: group, handle };
    running.push(startConsumer(topic.brokers, options, undefined, asOfAnother));
    await topic.send(numbered(1));
    // Not passed over: it is fetched again.
    await eventually(async () => batches > 1 || undefined, 'batches');
    expect(seen).toEqual([]);
  });

  test('share the partitions; when one comes or goes nothing is lost and little is repeated', async () => {
    const seen: string[] = [];
    const handle = async ({ value }: KafkaRecord) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      seen.push(String(value));
    };
    await topic.send(numbered(300));
    const first = start(handle);
    await eventually(async () => (seen.length > 50 ? true : undefined), 'the first to begin');
    start(handle);
    await eventually(async () => ((await topic.members(group)) === 2 ? true : undefined), 'the second to join');
    await topic.send(numbered(300, 'w'));
    await first.stop();
    await topic.send(numbered(300, 'x'));
    await seenAll(seen, 900);
    await committed(900);
    // What was under way when the group was shared out anew may be done twice.
    expect(seen.length).toBeLessThan(1_000);
  });

  test('one killed in the middle: the other does all that it had not committed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kafka-'));
    const file = join(directory, 'seen');
    const env = { TOPIC: topic.name, GROUP: group, FILE: file, WORK_MS: '5' };
    const one = consumerProcess(env);
    const seen = () => new Set(readFileSync(file, 'utf8').trim().split('\n'));
    let two: ReturnType<typeof consumerProcess> | undefined;
    try {
      await topic.send(numbered(2_000));
      await carriedOut(one, 300);
      one.kill('SIGKILL');
      two = consumerProcess(env);
      await eventually(async () => (seen().size === 2_000 ? true : undefined), 'all records', 60_000);
      await committed(2_000);
    } finally {
      one.kill('SIGKILL');
      two?.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    }
  }, 90_000);
});
