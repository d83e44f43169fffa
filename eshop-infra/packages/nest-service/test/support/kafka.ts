import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { pino } from 'pino';
import {
  type KafkaConfig,
  KafkaConsumer,
  type KafkaConsumerOptions,
  kafkaConsumerSection,
  kafkaSection,
} from '../../src/kafka/index.js';
import { createKafka } from '../../src/kafka/kafka-client.js';
import type { ConsumerParts } from '../../src/kafka/kafka-consumer.js';
import { TopicWriter } from '../../src/kafka/topic-writer.js';

export const silent = pino({ level: 'silent' });

export function kafkaConfig(brokers: readonly string[], more: Partial<KafkaConfig> = {}): KafkaConfig {
  return { ...kafkaSection.parse({ brokers }), ...more };
}

/** A consumer in this process, with a writer for its dead letters, which `send` may replace; `wrap` gets what kafkajs makes for it. */
export function startConsumer(
  brokers: readonly string[],
  options: Pick<KafkaConsumerOptions, 'topic' | 'groupID' | 'handle'> & Partial<KafkaConsumerOptions>,
  send?: ConsumerParts['send'],
  wrap?: (consumer: Consumer) => Consumer,
): { consumer: KafkaConsumer; stop: () => Promise<void>; outcomes: string[] } {
  const config = kafkaConfig(brokers);
  const kafka = createKafka(config, silent);
  if (wrap) {
    const make = kafka.consumer.bind(kafka);
    kafka.consumer = (settings) => wrap(make(settings));
  }
  const writer = new TopicWriter(kafka, `${options.topic}.dead-letter`, config, silent);
  const outcomes: string[] = [];
  const consumer = new KafkaConsumer(
    {
      ...kafkaConsumerSection.parse({ sessionTimeoutMs: 6_000, heartbeatMs: 500, fetchWaitMs: 50, retryMinMs: 20 }),
      ...options,
    },
    {
      kafka,
      log: silent,
      send: send ?? ((_topic, record) => writer.send(record)),
      observe: (_ms, _topic, _group, outcome) => outcomes.push(outcome),
      drainMs: 5_000,
    },
  );
  consumer.start();
  const stop = async () => {
    await consumer.stop();
    await writer.close();
  };
  return { consumer, stop, outcomes };
}

const CONSUMER = join(process.cwd(), 'node_modules/.cache/test-app/test/app/consumer-main.js');

/** A consumer as a process of its own, which can be killed. */
export function consumerProcess(env: Record<string, string>): ChildProcess {
  return fork(CONSUMER, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** Resolves when the process has carried out so many records from now on. */
export async function carriedOut(child: ChildProcess, count: number): Promise<void> {
  for (let seen = 0; seen < count; seen++) await once(child, 'message');
}

/** A network between kafkajs and the broker that a test can break. */
export class Network {
  private readonly sockets = new Set<Socket>();
  /** false: no connection is made, and the present ones are cut. */
  up = true;
  /** true: what the broker answers does not arrive. */
  deaf = false;
  /** Attempts of its producers to connect or to send that have not ended yet. */
  attempts = 0;

  kafka(config: KafkaConfig): Kafka {
    const kafka = new Kafka({
      brokers: config.brokers,
      clientId: 'test',
      requestTimeout: config.requestTimeoutMs,
      connectionTimeout: config.connectTimeoutMs,
      retry: { retries: 1, initialRetryTime: 20, maxRetryTime: 50 },
      logLevel: logLevel.NOTHING,
      socketFactory: ({ host, port, onConnect }) => {
        const socket = connect(this.up ? port : 1, host, onConnect);
        const emit = socket.emit.bind(socket);
        socket.emit = (event: string | symbol, ...args: unknown[]) =>
          event === 'data' && this.deaf ? true : emit(event as string, ...args);
        this.sockets.add(socket);
        socket.once('close', () => this.sockets.delete(socket));
        return socket;
      },
    });
    const make = kafka.producer.bind(kafka);
    kafka.producer = (options) => {
      const producer = make(options);
      return {
        ...producer,
        connect: () => this.attempt(producer.connect()),
        send: (record) => this.attempt(producer.send(record)),
      };
    };
    return kafka;
  }

  private async attempt<T>(running: Promise<T>): Promise<T> {
    this.attempts++;
    return running.finally(() => this.attempts--);
  }

  cut(): void {
    this.up = false;
    for (const socket of this.sockets) socket.destroy(new Error('cut'));
  }
}
