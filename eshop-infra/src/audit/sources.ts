import { kafkaClient } from '../kafka/client.ts';
import { orderGroup, orderTopic } from '../kafka/topics.ts';
import type { QueueOptions } from './queue/order-queue.ts';
import type { SaleCounterOptions } from './sales/sale-counter.ts';
import { type BranchPorts, type Schemas, schemasOf } from './schemas.ts';

/** Everything that the audit reads beside the database server itself. */
export interface Sources {
  schemas: Schemas;
  /** Absent: Redis is not asked. */
  counters?: SaleCounterOptions;
  /** Absent: Kafka is not asked. */
  queue?: QueueOptions;
}

const KAFKA_RETRIES = 5;

/** The sources of an instance of the stack. */
export function sourcesOf(ports: BranchPorts & { redis: number; kafka: number }): Sources {
  return {
    schemas: schemasOf(ports),
    counters: { url: `redis://127.0.0.1:${ports.redis}` },
    queue: { kafka: kafkaClient(ports, KAFKA_RETRIES), topic: orderTopic, group: orderGroup },
  };
}
