/** A run of offsets whose records cannot be had. */
export interface UnreadableBatch {
  /** What is wrong with it, for people. */
  readonly cause: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** false: the broker cannot read it, so nobody knows what lies there; another replica or a repair may help. */
  readonly canBeSkipped: boolean;
}

/** What kafkajs knows of the batch that a message came in. */
export interface BatchContext {
  /** -1: not of an idempotent producer. */
  readonly producerId: string;
  readonly inTransaction: boolean;
}

/** A message as kafkajs hands it on. */
export interface FetchedMessage {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer | Buffer[]>;
  /** kafkajs keeps it to itself, but goes on behind it. */
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  /** Present: this is no message, but stands at the end of the run of offsets that cannot be read. */
  readonly unreadable?: UnreadableBatch;
}

/** Takes up decompressed bytes, and yields records, as long as there is room. */
export interface Room {
  /** Bytes of decompressed batches that a fetch may still use. */
  batchBytes: number;
  /** Records that may still be read of the partition. */
  records: number;
  /** Bytes of them. */
  recordBytes: number;
}

const NO_CONTEXT: BatchContext = { producerId: '-1', inTransaction: false };

/** Stands where nothing is: kafkajs moves on behind it. */
export function gapUpTo(lastOffset: number): FetchedMessage {
  return {
    magicByte: 2,
    attributes: 0,
    timestamp: '0',
    offset: String(lastOffset),
    key: null,
    value: null,
    headers: {},
    isControlRecord: true,
    batchContext: NO_CONTEXT,
  };
}

/** Stands for what cannot be read. */
export function unreadableMessage(unreadable: UnreadableBatch): FetchedMessage {
  return { ...gapUpTo(unreadable.lastOffset), isControlRecord: false, unreadable };
}

/** What a message that kafkajs has handed on stands for; undefined: it is one. */
export function unreadableOf(message: object | undefined): UnreadableBatch | undefined {
  return (message as Partial<FetchedMessage> | undefined)?.unreadable;
}
