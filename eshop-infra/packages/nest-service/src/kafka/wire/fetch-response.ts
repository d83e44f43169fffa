import { type FetchedMessage, type Room, unreadableMessage } from './message.ts';
import { readPartition } from './partition-records.ts';
import { MAX_BATCH_BYTES } from './record-batch.ts';

/** What a fetch hands on of one partition; the rest comes with the next one. */
const PARTITION_RECORDS = 10_000;
const PARTITION_BYTES = 1_048_576;

/** Versions of Fetch that knows record batches; those before it are of brokers before 0.11. */
const FIRST_VERSION = 4;

/**
 * Errors of one partition that joining the group again does not help: UNKNOWN_SERVER_ERROR, CORRUPT_MESSAGE and
 * UNSUPPORTED_COMPRESSION_TYPE.
 */
const BROKER_CANNOT_READ: Readonly<Record<number, string>> = {
  [-1]: 'the broker fails to read it',
  2: 'the broker says that it is corrupt',
  76: 'the broker does not give its compression to this version of the protocol',
};

interface Decoded {
  readonly throttleTime: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly DecodedPartition[] }[];
}

interface DecodedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly messages: readonly FetchedMessage[];
}

interface FetchOptions {
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string | number }[];
  }[];
}

type MakeFetch = (options: FetchOptions) => {
  readonly response: { decode(bytes: Buffer): Promise<Decoded> };
};

/** kafkajs' `protocol/requests/fetch`. */
export interface FetchRequests {
  protocol: (version: { version: number }) => MakeFetch;
}

/**
 * Reads answers to Fetch in the place of kafkajs 2.2.4, which knows gzip only, decompresses without bound, looks at no checksum, takes
 * an unknown codec for none, and of which one batch that it cannot read ends the whole consumer. Here such a batch is a message
 * that stands for it ({@link unreadableOf}), behind the good ones before it; other partitions are as they would be without.
 * @returns what `protocol` is to be
 */
export function tolerantFetch({ protocol }: FetchRequests): FetchRequests['protocol'] {
  return ({ version }) => {
    const make = protocol({ version });
    if (version < FIRST_VERSION) return make;
    return (options) => {
      const made = make(options);
      const decode = (bytes: Buffer) => decodeResponse(bytes, version, options);
      return { ...made, response: { ...made.response, decode } };
    };
  };
}

async function decodeResponse(bytes: Buffer, version: number, options: FetchOptions): Promise<Decoded> {
  const offsets = new Map<string, number>();
  for (const { topic, partitions } of options.topics) {
    for (const { partition, fetchOffset } of partitions) offsets.set(`${topic}/${partition}`, Number(fetchOffset));
  }
  // No checksum covers where the records come from: what was damaged there is not taken for another partition's.
  const asked = (partition: string): number => {
    const offset = offsets.get(partition);
    if (offset === undefined) throw new Error(`the answer to a fetch names ${partition}, which it was not asked for`);
    offsets.delete(partition);
    return offset;
  };
  const reader = new ResponseReader(bytes);
  const throttleMs = reader.int32();
  const session = version < 7 ? {} : { errorCode: reader.int16(), sessionId: reader.int32() };
  const room = { batchBytes: MAX_BATCH_BYTES };
  const responses = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topicName = reader.string();
    const partitions = [];
    for (let left = reader.int32(); left > 0; left--) {
      partitions.push(await decodePartition(reader, version, room, (partition) => asked(`${topicName}/${partition}`)));
    }
    responses.push({ topicName, partitions });
  }
  // Since version 6 it is the client that waits, and the broker that expects it to.
  const throttle = version < 6 ? { throttleTime: throttleMs } : { throttleTime: 0, clientSideThrottleTime: throttleMs };
  return { ...throttle, ...session, responses };
}

async function decodePartition(
  reader: ResponseReader,
  version: number,
  fetchRoom: Pick<Room, 'batchBytes'>,
  offsetOf: (partition: number) => number,
): Promise<DecodedPartition> {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  const lastStartOffset = version < 5 ? {} : { lastStartOffset: reader.int64() };
  const abortedTransactions = [];
  for (let left = reader.int32(); left > 0; left--) {
    abortedTransactions.push({ producerId: reader.int64(), firstOffset: reader.int64() });
  }
  const preferredReadReplica = version < 11 ? {} : { preferredReadReplica: reader.int32() };
  const records = reader.bytes();
  const head = {
    partition,
    highWatermark,
    lastStableOffset,
    ...lastStartOffset,
    abortedTransactions,
    ...preferredReadReplica,
  };
  const fetchOffset = offsetOf(partition);
  const cause = BROKER_CANNOT_READ[errorCode];
  if (cause) {
    const range = { firstOffset: fetchOffset, lastOffset: fetchOffset, canBeSkipped: false };
    return { ...head, errorCode: 0, messages: [unreadableMessage({ cause, ...range })] };
  }
  const room: Room = { batchBytes: fetchRoom.batchBytes, records: PARTITION_RECORDS, recordBytes: PARTITION_BYTES };
  const fetch = { fetchOffset, highWatermark: Number(highWatermark) };
  const messages = errorCode === 0 ? await readPartition(records, fetch, room) : [];
  fetchRoom.batchBytes = room.batchBytes;
  return { ...head, errorCode, messages };
}

/** Reads the fields of an answer. */
class ResponseReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    this.#at += 2;
    return this.#buffer.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#buffer.readInt32BE(this.#at - 4);
  }

  /** As text, since that is how kafkajs passes it on. */
  int64(): string {
    this.#at += 8;
    return String(this.#buffer.readBigInt64BE(this.#at - 8));
  }

  string(): string {
    return this.#take(this.int16()).toString();
  }

  bytes(): Buffer {
    return this.#take(this.int32());
  }

  #take(length: number): Buffer {
    const start = this.#at;
    this.#at += Math.max(length, 0);
    if (this.#at > this.#buffer.length) throw new RangeError('the answer to a fetch is cut off');
    return this.#buffer.subarray(start, this.#at);
  }
}
