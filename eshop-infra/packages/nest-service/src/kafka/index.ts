export { DeadLetter, deadLetterTopic } from './dead-letter.js';
export { KafkaModule } from './kafka.module.js';
export { KafkaConsumer, type KafkaConsumerOptions } from './kafka-consumer.js';
export { KafkaConsumers } from './kafka-consumers.js';
export { KafkaProducer } from './kafka-producer.js';
export type { KafkaRecord, OutgoingRecord } from './record.js';
export { type KafkaConfig, type KafkaConsumerConfig, kafkaConsumerSection, kafkaSection } from './section.js';
export { RecordRefused } from './topic-writer.js';
