import { z } from 'zod';
import { secret } from '../config/secret.js';

/** The section `kafka` of a service that writes to or reads from Kafka. */
export const kafkaSection = z.object({
  brokers: z
    .array(z.string().min(1))
    .min(1)
    .default(['127.0.0.1:9092'])
    .describe('host:port of some brokers; they name the others'),
  clientId: z.string().min(1).default('service').describe("name of this service in the brokers' logs"),
  ssl: z.boolean().default(false).describe('whether the brokers speak TLS'),
  saslMechanism: z
    .enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512'])
    .default('none')
    .describe('how the service shows the brokers who it is'),
  username: z.string().default('').describe('who it is, when there is a mechanism'),
  password: secret(z.string()).default('').describe('its password, when there is a mechanism'),
  connectTimeoutMs: z.int().min(1).default(3_000).describe('how long connecting may take'),
  requestTimeoutMs: z.int().min(100).default(5_000).describe("longest wait for a broker's answer"),
  sendTimeoutMs: z.int().min(1).default(5_000).describe('longest time of a send, its repeats included'),
  sendQueueLimit: z.int().min(1).default(10_000).describe('records that may wait to be sent; more are refused at once'),
});

/** The section `kafka.consumer` of a service that reads from Kafka. */
export const kafkaConsumerSection = z.object({
  partitionsAtOnce: z.int().min(1).max(1_000).default(12).describe('partitions worked on at a time'),
  recordsAtOnce: z
    .int()
    .min(1)
    .max(1_000)
    .default(8)
    .describe('records of one partition under way at a time; their offsets are committed in order all the same'),
  sessionTimeoutMs: z
    .int()
    .min(6_000)
    .default(30_000)
    .describe('a consumer that is silent for so long is taken for dead, and its partitions go to others'),
  heartbeatMs: z.int().min(100).default(3_000).describe('how often it shows that it lives'),
  fetchWaitMs: z.int().min(1).default(200).describe('longest wait of a request for new records'),
  retryMinMs: z
    .int()
    .min(1)
    .default(200)
    .describe('first pause of a partition whose record failed for the moment; it doubles each time'),
  retryMaxMs: z.int().min(1).default(30_000).describe('longest pause'),
  unexpectedAttempts: z
    .int()
    .min(1)
    .default(10)
    .describe('attempts at a record that fails for no known reason, before it becomes a dead letter'),
  unreadableAttempts: z
    .int()
    .min(1)
    .default(5)
    .describe('fetches of a batch that cannot be read, before one dead letter stands for all of it'),
});

export type KafkaConfig = z.infer<typeof kafkaSection>;
export type KafkaConsumerConfig = z.infer<typeof kafkaConsumerSection>;
