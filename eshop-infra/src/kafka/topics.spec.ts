import { randomUUID } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { kafkaClient } from './client.ts';
import { makeTopics, wantedTopics } from './topics.ts';

describe('the wanted topics', () => {
  it('have eight partitions for orders and one for dead letters', () => {
    expect(wantedTopics({})).toEqual([
      { topic: 'flash-sale-order', partitions: 8 },
      { topic: 'flash-sale-order.dead-letter', partitions: 1 },
    ]);
  });

  it('have as many as the setting says', () => {
    expect(wantedTopics({ ESHOP_KAFKA_PARTITIONS: '3' })[0]).toMatchObject({ partitions: 3 });
  });

  it.each(['0', '1.5', 'many', '1001'])('refuse %s partitions by the name of the setting', (value) => {
    expect(() => wantedTopics({ ESHOP_KAFKA_PARTITIONS: value })).toThrow('ESHOP_KAFKA_PARTITIONS');
  });
});

describe('making topics', () => {
  const port = Number((process.env.TEST_KAFKA ?? '127.0.0.1:9092').split(':')[1]);
  const topic = `topics-${randomUUID()}`;
  let admin: Admin;

  beforeAll(async () => {
    admin = kafkaClient({ kafka: port }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  });

  const partitions = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length;

  it('creates what is missing, divides what is too small, and leaves the rest as it is', async () => {
    await makeTopics(admin, [{ topic, partitions: 2 }]);
    expect(await partitions()).toBe(2);
    await makeTopics(admin, [{ topic, partitions: 2 }]);
    expect(await partitions()).toBe(2);
    await makeTopics(admin, [{ topic, partitions: 5 }]);
    expect(await partitions()).toBe(5);
    await makeTopics(admin, [{ topic, partitions: 1 }]);
    expect(await partitions()).toBe(5);
  });
});
