import { Kafka, type KafkaConfig as KafkaJsConfig, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';
import type { Logger as Pino } from 'pino';
import { correctFetch } from './fetch.js';
import { correctRequestQueue } from './request-queue.js';
import type { KafkaConfig } from './section.js';

/** Expected in daily life, though the library calls them errors and warnings. */
const USUAL = /rebalanc|rejoin|re-join|not aware of this member|Limiting retries for the idempotent producer/i;

/** Repeats within one call of the library; who calls it repeats longer. */
export const SHORT_RETRY = { retries: 2, initialRetryTime: 50, maxRetryTime: 500, factor: 0.2, multiplier: 2 } as const;

/** A kafkajs client whose log lines are pino's: what it calls an error is a warning, since those who use it decide. */
export function createKafka(config: KafkaConfig, log: Pino): Kafka {
  correctRequestQueue();
  correctFetch();
  const sasl = saslOptions(config);
  const options: KafkaJsConfig = {
    brokers: config.brokers,
    clientId: config.clientId,
    ssl: config.ssl,
    connectionTimeout: config.connectTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    retry: SHORT_RETRY,
    logLevel: log.isLevelEnabled('debug') ? logLevel.INFO : logLevel.WARN,
    logCreator: () => (entry) => write(log, entry),
    ...(sasl && { sasl }),
  };
  return new Kafka(options);
}

function saslOptions({ saslMechanism, username, password }: KafkaConfig): SASLOptions | undefined {
  if (saslMechanism === 'none') return undefined;
  return { mechanism: saslMechanism, username, password } as SASLOptions;
}

function write(log: Pino, { level, namespace, log: { message, ...fields } }: LogEntry): void {
  const { groupId, broker, error, topic, partition, retryCount } = fields;
  const chosen = level > logLevel.WARN || USUAL.test(`${message} ${String(error ?? '')}`) ? 'debug' : 'warn';
  log[chosen]({ context: `kafkajs ${namespace}`, groupId, broker, topic, partition, retryCount, error }, message);
}
