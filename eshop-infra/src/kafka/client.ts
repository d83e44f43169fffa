import { Kafka, logLevel } from 'kafkajs';
import Fetch from 'kafkajs/src/protocol/requests/fetch/index.js';
import { tolerantFetch } from '../../packages/nest-service/src/kafka/wire/fetch-response.ts';
import type { Ports } from '../ports.ts';

/** As kafkajs has it. */
const { protocol } = Fetch;

/**
 * A client of the instance's Kafka.
 * @param retries of a request; the default, 0, says at once when it is not there
 */
export function kafkaClient({ kafka }: Pick<Ports, 'kafka'>, retries = 0): Kafka {
  // Batches of all codecs, and what cannot be read, as the order service reads them.
  Fetch.protocol = tolerantFetch({ protocol });
  return new Kafka({
    clientId: 'eshop',
    brokers: [`127.0.0.1:${kafka}`],
    logLevel: logLevel.NOTHING,
    retry: { retries },
    connectionTimeout: 2_000,
    requestTimeout: 4_000,
  });
}
