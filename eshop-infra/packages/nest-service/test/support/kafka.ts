import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { ConfigResourceTypes, type Consumer, Kafka, logLevel } from 'kafkajs';
import { pino } from 'pino';
import { correctFetch } from '../../src/kafka/fetch.js';
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

export interface StartedConsumer {
  readonly consumer: KafkaConsumer;
  readonly stop: () => Promise<void>;
  /** What came of each attempt at a record. */
  readonly outcomes: string[];
  /** What came of each batch that could not be read, each time that it was fetched. */
  readonly unreadable: string[];
  /** What was logged at level error or above. */
  readonly errors: Record<string, unknown>[];
}

/** Makes the broker compress what is written to a topic, as many clusters do. */
export async function compressTopic(brokers: readonly string[], topic: string, codec: string): Promise<void> {
  const admin = createKafka(kafkaConfig(brokers), silent).admin();
  await admin.connect();
  const configEntries = [{ name: 'compression.type', value: codec }];
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  });
  await admin.disconnect();
}

/** A consumer in this process, with a writer for its dead letters, which `send` may replace; `wrap` gets what kafkajs makes for it. */
export function startConsumer(
  brokers: readonly string[],
  options: Pick<KafkaConsumerOptions, 'topic' | 'groupID' | 'handle'> & Partial<KafkaConsumerOptions>,
  send?: ConsumerParts['send'],
  wrap?: (consumer: Consumer) => Consumer,
  network?: Network,
): StartedConsumer {
  const config = kafkaConfig(brokers);
  const kafka = network?.kafka(config) ?? createKafka(config, silent);
  if (wrap) {
    const make = kafka.consumer.bind(kafka);
    kafka.consumer = (settings) => wrap(make(settings));
  }
  const writer = new TopicWriter(kafka, `${options.topic}.dead-letter`, config, silent);
  const outcomes: string[] = [];
  const unreadable: string[] = [];
  const errors: Record<string, unknown>[] = [];
  const log = pino({ level: 'error' }, { write: (line) => errors.push(JSON.parse(line)) });
  const consumer = new KafkaConsumer(
    {
      ...kafkaConsumerSection.parse({ sessionTimeoutMs: 6_000, heartbeatMs: 500, fetchWaitMs: 50, retryMinMs: 20 }),
      ...options,
    },
    {
      kafka,
      log,
      send: send ?? ((_topic, record) => writer.send(record)),
      observe: (_ms, _topic, _group, outcome) => outcomes.push(outcome),
      unreadable: (_topic, _group, outcome) => unreadable.push(outcome),
      drainMs: 5_000,
    },
  );
  consumer.start();
  const stop = async () => {
    await consumer.stop();
    await writer.close();
  };
  return { consumer, stop, outcomes, unreadable, errors };
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
  /** Sees each answer of the broker, and may damage it. */
  onAnswer: ((answer: Buffer) => void) | undefined;
  /** Attempts of its producers to connect or to send that have not ended yet. */
  attempts = 0;

  kafka(config: KafkaConfig): Kafka {
    correctFetch();
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
        const answers = new Answers();
        socket.emit = (event: string | symbol, ...args: unknown[]) => {
          if (event !== 'data') return emit(event as string, ...args);
          if (this.deaf) return true;
          if (!this.onAnswer) return emit(event, ...args);
          for (const answer of answers.of(args[0] as Buffer)) {
            this.onAnswer(answer);
            emit(event, answer);
          }
          return true;
        };
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

/** Puts together what arrives in pieces. */
class Answers {
  private pending = Buffer.alloc(0);

  *of(piece: Buffer): Generator<Buffer> {
    this.pending = Buffer.concat([this.pending, piece]);
    while (this.pending.length >= 4 && this.pending.length >= 4 + this.pending.readInt32BE(0)) {
      const end = 4 + this.pending.readInt32BE(0);
      yield Buffer.from(this.pending.subarray(0, end));
      this.pending = this.pending.subarray(end);
    }
  }
}
