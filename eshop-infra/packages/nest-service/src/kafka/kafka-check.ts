import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Admin, Kafka } from 'kafkajs';
import { CONFIG } from '../config/index.js';
import { Readiness } from '../health/readiness.js';
import { LOGGERS, type Loggers } from '../log/logger.js';
import { createKafka } from './kafka-client.js';
import type { KafkaConfig } from './section.js';

/**
 * Shows in the service's readiness whether Kafka answers. It is not required: whoever needs Kafka is told so when calling,
 * and everything else goes on working.
 */
@Injectable()
export class KafkaCheck implements OnModuleInit, OnApplicationShutdown {
  private readonly kafka: Kafka;
  private admin: Promise<Admin> | undefined;

  constructor(
    @Inject(CONFIG) { kafka }: { readonly kafka: KafkaConfig },
    @Inject(LOGGERS) { log }: Loggers,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {
    this.kafka = createKafka(kafka, log.child({}, { level: 'silent' }));
  }

  onModuleInit(): void {
    this.readiness.register({ name: 'kafka', required: false, check: () => this.ask() });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.forget();
  }

  private async ask(): Promise<void> {
    this.admin ??= this.connect();
    try {
      await (await this.admin).describeCluster();
    } catch (error) {
      await this.forget();
      throw Object.assign(new Error('Kafka does not answer', { cause: error }), { code: 'UNAVAILABLE' });
    }
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin();
    await admin.connect();
    return admin;
  }

  private async forget(): Promise<void> {
    const { admin } = this;
    this.admin = undefined;
    await (await admin?.catch(() => undefined))?.disconnect().catch(() => undefined);
  }
}
