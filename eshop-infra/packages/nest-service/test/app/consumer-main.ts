import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { KafkaConsumer, kafkaConsumerSection, kafkaSection } from '../../src/kafka/index.js';
import { createKafka } from '../../src/kafka/kafka-client.js';

/** A consumer as a process: appends each record that it has carried out to a file, and says so to its parent. */
const { TOPIC = '', GROUP = '', FILE = '', WORK_MS = '5', TEST_KAFKA = '127.0.0.1:9092' } = process.env;
const consumer = new KafkaConsumer(
  {
    ...kafkaConsumerSection.parse({ sessionTimeoutMs: 6_000, heartbeatMs: 500, fetchWaitMs: 100, recordsAtOnce: 4 }),
    topic: TOPIC,
    groupID: GROUP,
    handle: async ({ value }) => {
      await sleep(Number(WORK_MS));
      appendFileSync(FILE, `${String(value)}\n`);
      process.send?.('done');
    },
  },
  {
    kafka: createKafka(kafkaSection.parse({ brokers: TEST_KAFKA.split(',') }), pino({ level: 'silent' })),
    log: pino({ level: 'silent' }),
    send: async () => undefined,
    observe: () => undefined,
    unreadable: () => undefined,
    drainMs: 5_000,
  },
);
consumer.start();
process.once('SIGTERM', () => void consumer.stop().then(() => process.exit(0)));
