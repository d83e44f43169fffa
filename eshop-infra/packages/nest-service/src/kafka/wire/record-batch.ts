import { decompress } from './compression.ts';
import { crc32c } from './crc32c.ts';
import type { BatchContext, FetchedMessage, Room } from './message.ts';

/** Largest size of a batch's records once they are decompressed: thirty times what a broker takes by default. */
export const MAX_BATCH_BYTES = 32 * 1_048_576;
/** From this size on, a record is copied, so that it does not keep the whole batch in memory. */
const COPY_FROM_BYTES = 1_048_576;

/** Offset and length; they are not counted in the length. */
export const ENTRY_HEADER = 12;
/** Where the format's number stands, in the older formats too. */
export const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_AT = 43;
const COUNT_AT = 57;
/** Size of a batch without records. */
export const BATCH_HEADER = 61;

const CODEC = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** The last offset of a batch, as its header says. */
export function lastOffsetOf(batch: Buffer): number {
  return Number(batch.readBigInt64BE(0)) + batch.readInt32BE(LAST_DELTA_AT);
}

/**
 * Reads a record batch of format 2. https://kafka.apache.org/39/documentation.html#recordbatch
 * @param from offset of the first record that is wanted
 * @param room records are read as long as there is some, at least one; it is used up
 * @returns whether all records were read
 * @throws Error when the batch is not as it was written, or was written wrongly
 */
export async function readRecordBatch(
  batch: Buffer,
  from: number,
  room: Room,
  into: FetchedMessage[],
): Promise<boolean> {
  if (crc32c(batch, ATTRIBUTES_AT) !== batch.readUInt32BE(CRC_AT)) throw new Error('its checksum is wrong');
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  const count = batch.readInt32BE(COUNT_AT);
  // Compaction leaves a batch without records where a producer's last one was.
  if (count === 0) return true;
  const codec = attributes & CODEC;
  let records = batch.subarray(BATCH_HEADER);
  if (codec !== 0) {
    records = await decompress(codec, records, MAX_BATCH_BYTES);
    room.batchBytes -= records.length;
  }
  const reader = new RecordReader(batch, attributes, records, codec !== 0 && records.length >= COPY_FROM_BYTES);
  for (let read = 0; read < count; read++) {
    const before = reader.position;
    const message = reader.next(from);
    if (!message) continue;
    into.push(message);
    room.records--;
    room.recordBytes -= reader.position - before;
    if (room.records <= 0 || room.recordBytes <= 0) return read === count - 1;
  }
  if (reader.position !== records.length) throw new Error('there are bytes behind its last record');
  return true;
}

/** Reads records one after the other. */
class RecordReader {
  position = 0;
  readonly #bytes: Buffer;
  readonly #copies: boolean;
  readonly #baseOffset: number;
  readonly #lastDelta: number;
  readonly #firstTimestamp: number;
  /** Of all records, when the broker has given it. */
  readonly #appendTime: string | undefined;
  readonly #isControl: boolean;
  readonly #context: BatchContext;
  /** Where the present record ends. */
  #end = 0;

  constructor(batch: Buffer, attributes: number, bytes: Buffer, copies: boolean) {
    this.#bytes = bytes;
    this.#copies = copies;
    this.#baseOffset = Number(batch.readBigInt64BE(0));
    this.#lastDelta = batch.readInt32BE(LAST_DELTA_AT);
    this.#firstTimestamp = Number(batch.readBigInt64BE(FIRST_TIMESTAMP_AT));
    this.#appendTime = attributes & LOG_APPEND_TIME ? String(batch.readBigInt64BE(MAX_TIMESTAMP_AT)) : undefined;
    this.#isControl = (attributes & CONTROL) !== 0;
    this.#context = {
      producerId: String(batch.readBigInt64BE(PRODUCER_AT)),
      inTransaction: (attributes & TRANSACTIONAL) !== 0,
    };
  }

  /** Undefined for a record before `from`, which is passed over. */
  next(from: number): FetchedMessage | undefined {
    this.#end = this.#bytes.length;
    const length = this.#varint();
    const end = this.position + length;
    if (length < 0 || end > this.#bytes.length) throw new Error('a record ends beyond it');
    this.#end = end;
    // Attributes of a record, which has none yet.
    this.position++;
    const timestampDelta = this.#varint();
    const delta = this.#varint();
    if (delta < 0 || delta > this.#lastDelta) throw new Error('a record has an offset outside of it');
    const offset = this.#baseOffset + delta;
    if (offset < from) {
      this.position = end;
      return undefined;
    }
    const key = this.#field();
    const value = this.#field();
    const headers = this.#headers();
    if (this.position !== end) throw new Error('a record is not as long as it says');
    return {
      magicByte: 2,
      attributes: 0,
      timestamp: this.#appendTime ?? String(this.#firstTimestamp + timestampDelta),
      offset: String(offset),
      key,
      value,
      headers,
      isControlRecord: this.#isControl,
      batchContext: this.#context,
    };
  }

  #headers(): Record<string, Buffer | Buffer[]> {
    // Whatever a header may be called.
    const headers = Object.create(null) as Record<string, Buffer | Buffer[]>;
    for (let left = this.#varint(); left > 0; left--) {
      const name = this.#field()?.toString() ?? '';
      const value = this.#field();
      // One without a value says nothing.
      if (value === null) continue;
      const before = headers[name];
      headers[name] = before === undefined ? value : [before, value].flat();
    }
    return headers;
  }

  #field(): Buffer | null {
    const length = this.#varint();
    if (length === -1) return null;
    const start = this.position;
    const end = start + length;
    if (length < 0 || end > this.#end) throw new Error('a field ends beyond its record');
    this.position = end;
    const bytes = this.#bytes.subarray(start, end);
    return this.#copies ? Buffer.from(bytes) : bytes;
  }

  /** A zigzag integer of up to 64 bits; only those up to 53 are exact, and none needs more. */
  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.position >= this.#end || scale > 2 ** 63) throw new Error('a number ends beyond its record');
      const byte = this.#bytes[this.position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
