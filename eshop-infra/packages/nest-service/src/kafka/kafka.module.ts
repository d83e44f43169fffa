import { Global, Module } from '@nestjs/common';
import { KafkaCheck } from './kafka-check.js';
import { KafkaConsumers } from './kafka-consumers.js';
import { KafkaProducer } from './kafka-producer.js';

/** Kafka for a service whose configuration has the section `kafka` (see `kafkaSection`). */
@Global()
@Module({ providers: [KafkaProducer, KafkaConsumers, KafkaCheck], exports: [KafkaProducer, KafkaConsumers] })
export class KafkaModule {}
