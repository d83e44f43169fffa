import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Kafka } from 'kafkajs';
import { CONFIG } from '../config/index.js';
import { LOGGERS, type Loggers } from '../log/logger.js';
import { createKafka } from './kafka-client.js';
import type { OutgoingRecord } from './record.js';
import type { KafkaConfig } from './section.js';
import { TopicWriter } from './topic-writer.js';

/** Writes records: each is stored by all in-sync replicas when `send` resolves. Connects when it is first needed. */
@Injectable()
export class KafkaProducer implements OnApplicationShutdown {
  private readonly kafka: Kafka;
  private readonly config: KafkaConfig;
  private readonly writers = new Map<string, TopicWriter>();

  constructor(
    @Inject(CONFIG) { kafka }: { readonly kafka: KafkaConfig },
    @Inject(LOGGERS) private readonly loggers: Loggers,
  ) {
    this.config = kafka;
    this.kafka = createKafka(kafka, loggers.log);
  }

  /**
   * Resolves when the record is stored. Sends that run at the same time share requests.
   * Rejects with ContractError UNAVAILABLE when `kafka.sendTimeoutMs` is over, whether or not it was stored, or at once when
   * `kafka.sendQueueLimit` records wait; with {@link RecordRefused} when Kafka does not take the record at all.
   */
  send(topic: string, record: OutgoingRecord): Promise<void> {
    let writer = this.writers.get(topic);
    if (!writer) {
      writer = new TopicWriter(this.kafka, topic, this.config, this.loggers.log);
      this.writers.set(topic, writer);
    }
    return writer.send(record);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.writers.values()].map((writer) => writer.close()));
  }
}
