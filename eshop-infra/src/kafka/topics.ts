import type { Admin } from 'kafkajs';
import { waitFor } from '../base/wait.ts';

/** Orders on their way to the order service, from the flash sale and from the queued submit. */
export const orderTopic = 'flash-sale-order';

/** Where records go that cannot become an order. */
export const deadLetterTopic = (topic: string) => `${topic}.dead-letter`;

/** The consumers of `orderTopic`. */
export const orderGroup = 'activity-order-group';

export interface WantedTopic {
  topic: string;
  partitions: number;
}

/**
 * The topics of the shop. ESHOP_KAFKA_PARTITIONS says into how many parts the orders are divided, default 8: as many
 * consumers can share them. Dead letters are few, and are read in the order in which they came.
 * @throws Error when the variable is no whole number from 1 to 1000
 */
export function wantedTopics(env: NodeJS.ProcessEnv = process.env): WantedTopic[] {
  const given = env.ESHOP_KAFKA_PARTITIONS;
  const partitions = given === undefined || given === '' ? 8 : Number(given);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1000) {
    throw new Error(`ESHOP_KAFKA_PARTITIONS must be a whole number from 1 to 1000, not "${given}"`);
  }
  return [
    { topic: orderTopic, partitions },
    { topic: deadLetterTopic(orderTopic), partitions: 1 },
  ];
}

/** Creates the topics that are missing and divides further those with too few partitions; Kafka cannot join them again. */
export async function makeTopics(admin: Admin, wanted: readonly WantedTopic[]): Promise<void> {
  await admin.createTopics({
    topics: wanted.map(({ topic, partitions }) => ({ topic, numPartitions: partitions, replicationFactor: 1 })),
    waitForLeaders: false,
  });
  // A broker that is busy does not know a topic yet that it has just agreed to make; kafkajs' own wait gives up on that.
  const { topics } = await waitFor(
    'the topics of Kafka',
    () => admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) }),
    { timeoutMs: 15_000 },
  );
  const small = wanted.filter(({ topic, partitions }) => {
    const found = topics.find(({ name }) => name === topic);
    return found !== undefined && found.partitions.length < partitions;
  });
  if (small.length === 0) return;
  await admin.createPartitions({
    topicPartitions: small.map(({ topic, partitions }) => ({ topic, count: partitions })),
  });
}
