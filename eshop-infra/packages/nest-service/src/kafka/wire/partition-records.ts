import { readLegacyMessage } from './legacy-message.ts';
import { type FetchedMessage, gapUpTo, type Room, unreadableMessage } from './message.ts';
import { BATCH_HEADER, ENTRY_HEADER, lastOffsetOf, MAGIC_AT, readRecordBatch } from './record-batch.ts';

/** Offset, length, checksum, format, attributes and two lengths. */
const LEGACY_MIN = 26;

export interface PartitionFetch {
  /** The first offset that was asked for. */
  readonly fetchOffset: number;
  /** The offset after the last record that may be read. */
  readonly highWatermark: number;
}

/**
 * Reads what a broker has sent of one partition: whole batches, of which the last may be cut off. At the first one that cannot be read
 * it ends, with a message that stands for it.
 */
export async function readPartition(bytes: Buffer, fetch: PartitionFetch, room: Room): Promise<FetchedMessage[]> {
  const messages: FetchedMessage[] = [];
  /** The last offset of the batches that were passed. */
  let passed = -1;
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    const entry = entryOf(rest);
    const fault = faultOf(entry, passed, fetch);
    // The last batch may be cut off, but never the first one: it is sent whole, however large it is.
    if (fault === CUT_OFF && passed >= 0) break;
    const wanted = Math.max(fetch.fetchOffset, passed + 1);
    const range = () => rangeOf(rest, entry, { ...fetch, fetchOffset: wanted });
    if (fault !== undefined) return [...messages, unreadableMessage({ cause: fault, ...range() })];
    const { batch, magic, lastOffset } = entry as Entry;
    if (lastOffset >= fetch.fetchOffset) {
      if (room.batchBytes <= 0 || room.records <= 0) return messages;
      const before = messages.length;
      try {
        const read = magic === 2 ? readRecordBatch : readLegacyMessage;
        if (!(await read(batch, fetch.fetchOffset, room, messages))) return messages;
      } catch (error) {
        const cause = (error as Partial<Error>).message ?? String(error);
        return [...messages.slice(0, before), unreadableMessage({ cause, ...range() })];
      }
    }
    passed = lastOffset;
    at += batch.length;
  }
  // Compaction has taken away the records, or the last ones: kafkajs would ask for them for ever.
  if (passed >= fetch.fetchOffset && Number(messages.at(-1)?.offset ?? -1) < passed) messages.push(gapUpTo(passed));
  return messages;
}

interface Entry {
  readonly batch: Buffer;
  readonly magic: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

const CUT_OFF = 'it is cut off';

/** The batch that `bytes` begin with; undefined when they are not one, or not all of it. */
function entryOf(bytes: Buffer): Entry | typeof CUT_OFF | undefined {
  if (bytes.length < LEGACY_MIN) return CUT_OFF;
  const magic = bytes.readInt8(MAGIC_AT);
  const end = ENTRY_HEADER + bytes.readInt32BE(8);
  if (end < (magic === 2 ? BATCH_HEADER : LEGACY_MIN)) return undefined;
  if (end > bytes.length) return CUT_OFF;
  const baseOffset = Number(bytes.readBigInt64BE(0));
  return {
    batch: bytes.subarray(0, end),
    magic,
    baseOffset,
    lastOffset: magic === 2 ? lastOffsetOf(bytes) : baseOffset,
  };
}

function faultOf(entry: ReturnType<typeof entryOf>, passed: number, fetch: PartitionFetch): string | undefined {
  if (entry === undefined) return 'its length cannot be right';
  if (entry === CUT_OFF) return CUT_OFF;
  const { magic, baseOffset, lastOffset } = entry;
  if (magic < 0 || magic > 2) return `format ${magic} is not known`;
  if (baseOffset <= passed || lastOffset < baseOffset || lastOffset >= fetch.highWatermark) {
    return 'its offsets cannot be right';
  }
  return undefined;
}

/**
 * Which offsets are lost with a batch that cannot be read. Its header may be as wrong as the rest of it, so that the next batch's
 * counts more; when nothing can be believed it is one offset, and the next fetch shows what follows.
 */
function rangeOf(bytes: Buffer, entry: ReturnType<typeof entryOf>, { fetchOffset, highWatermark }: PartitionFetch) {
  const fits = (offset: number | undefined): offset is number =>
    offset !== undefined && offset >= fetchOffset && offset < highWatermark;
  const found = typeof entry === 'object' ? entry : undefined;
  const next = found && entryOf(bytes.subarray(found.batch.length));
  const beforeNext = typeof next === 'object' && next.lastOffset >= next.baseOffset ? next.baseOffset - 1 : undefined;
  const ownLast = found?.lastOffset ?? (bytes.length >= BATCH_HEADER ? lastOffsetOf(bytes) : undefined);
  // A set of the older formats bears the offset of its last message, and so says nothing about where the one before it ends.
  const candidates = found && found.magic < 2 ? [ownLast] : [beforeNext, ownLast];
  const lastOffset = candidates.find(fits) ?? fetchOffset;
  const base = bytes.length >= 8 ? Number(bytes.readBigInt64BE(0)) : fetchOffset;
  const firstOffset = fits(base) && base <= lastOffset ? base : fetchOffset;
  return { firstOffset, lastOffset, canBeSkipped: true };
}
