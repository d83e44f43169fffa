import { Kafka, logLevel } from 'kafkajs';
import type { Ports } from '../ports.ts';

/**
 * A client of the instance's Kafka.
 * @param retries of a request; the default, 0, says at once when it is not there
 */
export function kafkaClient({ kafka }: Pick<Ports, 'kafka'>, retries = 0): Kafka {
  return new Kafka({
    clientId: 'eshop',
    brokers: [`127.0.0.1:${kafka}`],
    logLevel: logLevel.NOTHING,
    retry: { retries },
    connectionTimeout: 2_000,
    requestTimeout: 4_000,
  });
}
