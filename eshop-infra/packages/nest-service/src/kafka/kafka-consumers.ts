import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Counter, Histogram } from 'prom-client';
import { CONFIG, type ServiceConfig } from '../config/index.js';
import { Readiness } from '../health/readiness.js';
import { LOGGERS, type Loggers } from '../log/logger.js';
import { Metrics } from '../metrics/metrics.js';
import { createKafka } from './kafka-client.js';
import { type ConsumerParts, KafkaConsumer, type KafkaConsumerOptions } from './kafka-consumer.js';
import { KafkaProducer } from './kafka-producer.js';
import type { KafkaConfig } from './section.js';

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Starts consumers, and stops them when the service shuts down: before connections to databases are closed. */
@Injectable()
export class KafkaConsumers implements OnModuleDestroy {
  private readonly parts: ConsumerParts;
  private readonly consumers: KafkaConsumer[] = [];

  constructor(
    @Inject(CONFIG) { kafka, shutdown }: ServiceConfig & { readonly kafka: KafkaConfig },
    @Inject(LOGGERS) { log }: Loggers,
    @Inject(Metrics) metrics: Metrics,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(KafkaProducer) producer: KafkaProducer,
  ) {
    const histogram = new Histogram({
      name: 'kafka_consumer_duration_seconds',
      help: 'Attempts at records, by what came of them',
      labelNames: ['topic', 'group', 'outcome'],
      buckets: SECONDS,
      registers: [metrics.registry],
    });
    const unreadable = new Counter({
      name: 'kafka_consumer_unreadable_batches_total',
      help: 'Batches that could not be read, by what came of them',
      labelNames: ['topic', 'group', 'outcome'],
      registers: [metrics.registry],
    });
    this.parts = {
      kafka: createKafka(kafka, log),
      log,
      send: (topic, record) => producer.send(topic, record),
      observe: (ms, topic, group, outcome) => histogram.observe({ topic, group, outcome }, ms / 1000),
      unreadable: (topic, group, outcome) => unreadable.inc({ topic, group, outcome }),
      drainMs: shutdown.drainMs,
    };
  }

  /** Starts to read; the service's readiness shows whether it is a member of its group. Returns at once. */
  start(options: KafkaConsumerOptions): KafkaConsumer {
    const consumer = new KafkaConsumer(options, this.parts);
    this.consumers.push(consumer);
    this.readiness.register({
      name: `kafka-${options.groupID}`,
      required: false,
      check: () => consumer.check(),
    });
    consumer.start();
    return consumer;
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
  }
}
