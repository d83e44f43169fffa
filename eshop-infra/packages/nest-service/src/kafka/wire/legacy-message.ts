import { crc32 } from 'node:zlib';
import { decompress } from './compression.ts';
import type { BatchContext, FetchedMessage, Room } from './message.ts';
import { ENTRY_HEADER, MAX_BATCH_BYTES } from './record-batch.ts';

const CRC_AT = 12;
const CONTENT_AT = 16;
const ATTRIBUTES_AT = 17;
const CODEC = 0x07;
const NO_CONTEXT: BatchContext = { producerId: '-1', inTransaction: false };

/** A message as it lies in its set. */
interface Entry {
  readonly magic: number;
  readonly codec: number;
  readonly offset: number;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/**
 * Reads a message of the formats 0 and 1, which brokers since 3.0 do not write any more, but may have; a compressed one holds a set
 * of messages. https://kafka.apache.org/39/documentation.html#messageset
 * @param from offset of the first message that is wanted
 * @returns whether all messages were read
 * @throws Error when it is not as it was written, or was written wrongly
 */
export async function readLegacyMessage(
  bytes: Buffer,
  from: number,
  room: Room,
  into: FetchedMessage[],
): Promise<boolean> {
  const outer = readEntry(bytes);
  if (outer.codec === 0) {
    into.push(messageOf(outer, outer.offset));
    return true;
  }
  const inner = await decompress(outer.codec, outer.value ?? Buffer.alloc(0), MAX_BATCH_BYTES);
  room.batchBytes -= inner.length;
  const entries: Entry[] = [];
  for (let at = 0; at < inner.length; ) {
    const end = at + ENTRY_HEADER + inner.readInt32BE(at + 8);
    if (end <= at || end > inner.length) throw new Error('a message ends beyond it');
    entries.push(readEntry(inner.subarray(at, end)));
    at = end;
  }
  // In format 1 offsets inside count from the first one; the set bears the last one's.
  const base = outer.magic === 0 ? 0 : outer.offset - (entries.at(-1)?.offset ?? 0);
  for (const entry of entries) {
    const offset = base + entry.offset;
    if (offset < from) continue;
    into.push(messageOf(entry, offset));
    room.records--;
    room.recordBytes -= (entry.value?.length ?? 0) + (entry.key?.length ?? 0);
    if (room.records <= 0 || room.recordBytes <= 0) return entry === entries.at(-1);
  }
  return true;
}

function messageOf({ magic, timestamp, key, value }: Entry, offset: number): FetchedMessage {
  const rest = { attributes: 0, headers: {}, isControlRecord: false, batchContext: NO_CONTEXT };
  return { magicByte: magic, timestamp, offset: String(offset), key, value, ...rest };
}

function readEntry(bytes: Buffer): Entry {
  if (crc32(bytes.subarray(CONTENT_AT)) !== bytes.readUInt32BE(CRC_AT)) throw new Error('its checksum is wrong');
  const magic = bytes.readInt8(CONTENT_AT);
  let at = ATTRIBUTES_AT + 1;
  // Format 0 knows no time.
  const timestamp = magic === 0 ? '-1' : String(bytes.readBigInt64BE(at));
  if (magic !== 0) at += 8;
  const field = (): Buffer | null => {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length === -1) return null;
    if (length < 0 || at + length > bytes.length) throw new Error('a field ends beyond its message');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const codec = bytes.readInt8(ATTRIBUTES_AT) & CODEC;
  const offset = Number(bytes.readBigInt64BE(0));
  return { magic, codec, offset, timestamp, key: field(), value: field() };
}
