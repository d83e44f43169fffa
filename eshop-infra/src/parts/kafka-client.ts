import { Kafka, logLevel } from 'kafkajs';
import type { Ports } from '../ports.ts';

/** A client of the instance's Kafka that says at once when it is not there. */
export function kafkaClient({ kafka }: Pick<Ports, 'kafka'>): Kafka {
  return new Kafka({
    clientId: 'eshop',
    brokers: [`127.0.0.1:${kafka}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: 2_000,
    requestTimeout: 4_000,
  });
}
