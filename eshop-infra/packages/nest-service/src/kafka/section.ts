import { z } from 'zod';
import { secret } from '../config/secret.js';

/** The section `kafka` of a service that writes to or reads from Kafka. */
export const kafkaSection = z.object({
  /** host:port of some brokers; they name the others. */
  brokers: z.array(z.string().min(1)).min(1).default(['127.0.0.1:9092']),
  /** Name of this service in the brokers' logs. */
  clientId: z.string().min(1).default('service'),
  ssl: z.boolean().default(false),
  /** How the service shows the brokers who it is. */
  saslMechanism: z.enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512']).default('none'),
  username: z.string().default(''),
  password: secret(z.string()).default(''),
  connectTimeoutMs: z.int().min(1).default(3_000),
  /** Longest wait for a broker's answer. */
  requestTimeoutMs: z.int().min(100).default(5_000),
  /** Longest time of a send, repeats included; then UNAVAILABLE. */
  sendTimeoutMs: z.int().min(1).default(5_000),
  /** Records that may wait to be sent; more are refused with UNAVAILABLE at once. */
  sendQueueLimit: z.int().min(1).default(10_000),
});

/** The section `kafka.consumer` of a service that reads from Kafka. */
export const kafkaConsumerSection = z.object({
  /** Partitions worked on at a time. */
  partitionsAtOnce: z.int().min(1).max(1_000).default(12),
  /** Records of one partition worked on at a time; their offsets are committed in order all the same. */
  recordsAtOnce: z.int().min(1).max(1_000).default(8),
  /** A consumer that is silent for so long is taken for dead, and its partitions go to others. */
  sessionTimeoutMs: z.int().min(6_000).default(30_000),
  heartbeatMs: z.int().min(100).default(3_000),
  /** Longest wait of a request for new records. */
  fetchWaitMs: z.int().min(1).default(200),
  /** First and longest pause of a partition whose record failed for the moment. */
  retryMinMs: z.int().min(1).default(200),
  retryMaxMs: z.int().min(1).default(30_000),
  /** Attempts at a record that fails for no known reason, before it becomes a dead letter. */
  unexpectedAttempts: z.int().min(1).default(10),
});

export type KafkaConfig = z.infer<typeof kafkaSection>;
export type KafkaConsumerConfig = z.infer<typeof kafkaConsumerSection>;
