import { randomInt, randomUUID } from 'node:crypto';
import { newTimeID } from '@eshop/nest-service';
import { eventually, type TestTopic, testTopic } from '@eshop/nest-service/testing';
import { type QueuedOrder, queuedOrderRecord } from '@eshop/proto/order';
import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { type Started, startOrder } from './service.js';

const group = `order-${randomUUID()}`;
let topic: TestTopic;
let shop: Started;
let kafka: Kafka;
beforeAll(async () => {
  topic = await testTopic(2, 'orders');
  kafka = new Kafka({ brokers: topic.brokers, logLevel: logLevel.NOTHING });
  const kafkaOfShop = { orderGroup: group, consumer: { retryMinMs: 20 } };
  shop = await startOrder({ topic, kafka: kafkaOfShop });
});
afterAll(async () => {
  await shop?.close();
  await topic?.drop();
});

const orders = (count: number): QueuedOrder[] =>
  Array.from({ length: count }, () => ({
    userID: randomInt(1, 2 ** 40),
    productID: randomInt(1000, 2 ** 40),
    productCount: 1,
    amount: 1,
    couponID: 0,
    orderID: newTimeID(),
    saleID: 0,
  }));

const recordOf = (order: QueuedOrder) => ({ key: order.orderID, value: queuedOrderRecord.write(order) });

const placed = (orderID: string) =>
  eventually(async () => {
    const found = await shop.orders.getByOrderID({ orderID }).catch(() => undefined);
    return found?.state === 'placed' ? true : undefined;
  }, `order ${orderID} to be placed`);

/** Says how the broker is to write what it gets; `producer`: as it comes. */
async function compressAs(codec: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = [{ name: 'compression.type', value: codec }];
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic.name, configEntries }];
  await admin.alterConfigs({ validateOnly: false, resources });
  await admin.disconnect();
}

it.each(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'])(
  'orders in batches that the broker writes as %s are placed',
  async (codec) => {
    await compressAs(codec);
    const sent = orders(20);
    await topic.send(sent.map(recordOf), 0);
    for (const { orderID } of sent) await placed(orderID);
  },
);

it('a batch that cannot be read becomes one dead letter, and the orders behind it and in other partitions are placed', async () => {
  await compressAs('producer');
  const [behind, other] = orders(2) as [QueuedOrder, QueuedOrder];
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  // It would become too large.
  const messages = [Buffer.alloc(40 * 1_048_576), 'with it'].map((value) => ({ partition: 0, value }));
  const [written] = await producer.send({ topic: topic.name, compression: CompressionTypes.GZIP, messages });
  await producer.disconnect();
  await topic.send([recordOf(behind)], 0);
  await topic.send([recordOf(other)], 1);
  await placed(other.orderID);
  await placed(behind.orderID);
  const first = Number(written?.baseOffset);
  const letters = await eventually(async () => {
    const found = await topic.deadLetters();
    return found.length > 0 ? found : undefined;
  }, 'the dead letter');
  expect(letters.map(({ value, headers }) => ({ value, headers }))).toEqual([
    {
      value: null,
      headers: {
        'dead-letter-code': 'UNREADABLE_BATCH',
        'dead-letter-cause': 'it holds more than 33554432 bytes',
        'dead-letter-topic': topic.name,
        'dead-letter-partition': '0',
        'dead-letter-offset': String(first),
        'dead-letter-last-offset': String(first + 1),
      },
    },
  ]);
  await eventually(async () => (await topic.committed(group))[0] === first + 3 || undefined, 'the offset behind it');
});
