import type { Kafka } from 'kafkajs';
import { readTopic, type UnreadableRecords } from '../../kafka/read-topic.ts';
import { deadLetterTopic } from '../../kafka/topics.ts';

/** Where the orders' records are. */
export interface QueueOptions {
  kafka: Kafka;
  topic: string;
  /** The consumers whose committed offsets say what has been read. */
  group: string;
}

/** A record that the order service says it has done with. */
export interface QueueRecord {
  /** `topic/partition/offset`, or `topic/partition/first-last` of what cannot be read. */
  position: string;
  /** The order that it names; undefined when it names none. */
  orderID: string | undefined;
  /** Whether it is among the dead letters. */
  dead: boolean;
  /** Why it cannot be read, and the others beside it neither; undefined when it can. */
  unreadable?: string;
}

/** What the group has done with. */
export interface CommittedRecords {
  records: QueueRecord[];
  /** Dead letters that nobody can read. */
  unreadableLetters: UnreadableRecords[];
}

/** Every record that the group has committed, with whether it became a dead letter. */
export async function committedRecords({ kafka, topic, group }: QueueOptions): Promise<CommittedRecords> {
  const until = await committedOffsets(kafka, topic, group);
  const found: (OffsetRange & Pick<QueueRecord, 'orderID' | 'unreadable'>)[] = [];
  const unreadable = ({ cause, ...range }: UnreadableRecords) => {
    found.push({ ...range, orderID: undefined, unreadable: cause });
  };
  await readTopic(kafka, topic, { until, unreadable }, ({ partition, offset, value }) => {
    const [firstOffset, lastOffset] = [BigInt(offset), BigInt(offset)];
    found.push({ partition, firstOffset, lastOffset, orderID: orderIdOf(value) });
  });
  // a dead letter is written before its record is committed: so they are read afterwards
  const unreadableLetters: UnreadableRecords[] = [];
  const options = { unreadable: (letters: UnreadableRecords) => void unreadableLetters.push(letters) };
  const dead = new DeadOffsets();
  await readTopic(kafka, deadLetterTopic(topic), options, ({ headers }) => {
    if (headers['dead-letter-topic'] === topic) dead.add(headers);
  });
  const records = found.map(({ partition, firstOffset, lastOffset, ...record }) => ({
    ...record,
    position: `${topic}/${partition}/${firstOffset}${lastOffset > firstOffset ? `-${lastOffset}` : ''}`,
    dead: dead.hasAll({ partition, firstOffset, lastOffset }),
  }));
  return { records, unreadableLetters };
}

type OffsetRange = Omit<UnreadableRecords, 'cause'>;

/** Whose records are among the dead letters: most letters stand for one, some for a whole batch. */
class DeadOffsets {
  readonly #single = new Set<string>();
  readonly #batches: OffsetRange[] = [];

  add(headers: Readonly<Record<string, string>>): void {
    const { 'dead-letter-partition': partition, 'dead-letter-offset': offset } = headers;
    const last = headers['dead-letter-last-offset'];
    if (last === undefined) this.#single.add(`${partition}/${offset}`);
    else if (offset !== undefined) {
      this.#batches.push({ partition: Number(partition), firstOffset: BigInt(offset), lastOffset: BigInt(last) });
    }
  }

  hasAll({ partition, firstOffset, lastOffset }: OffsetRange): boolean {
    if (firstOffset === lastOffset && this.#single.has(`${partition}/${firstOffset}`)) return true;
    // a batch may have been put aside in pieces
    let next = firstOffset;
    for (const batch of this.#batches.filter((one) => one.partition === partition).sort(byFirstOffset)) {
      if (batch.firstOffset <= next && batch.lastOffset >= next) next = batch.lastOffset + 1n;
    }
    return next > lastOffset;
  }
}

const byFirstOffset = (a: OffsetRange, b: OffsetRange) => Number(a.firstOffset - b.firstOffset);

/** Per partition, the offset after the last record that the group has done with. */
async function committedOffsets(kafka: Kafka, topic: string, group: string): Promise<Map<number, bigint>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const committed = found?.partitions ?? [];
    return new Map(committed.map(({ partition, offset }) => [partition, BigInt(offset) < 0n ? 0n : BigInt(offset)]));
  } finally {
    await admin.disconnect();
  }
}

function orderIdOf(value: Buffer | null): string | undefined {
  try {
    const { orderID } = JSON.parse(value?.toString() ?? '') as { orderID?: unknown };
    return typeof orderID === 'string' ? orderID : undefined;
  } catch {
    return undefined;
  }
}
