import { crc32 } from 'node:zlib';
import { crc32c } from '../../src/kafka/wire/crc32c.js';

export interface BatchRecord {
  readonly key?: string;
  readonly value?: string | Buffer | null;
  readonly headers?: readonly (readonly [name: string, value: string | null])[];
  /** Of its offset to the first one of the batch; default: its place. */
  readonly delta?: number;
}

export interface BatchOptions {
  readonly baseOffset?: number;
  readonly lastDelta?: number;
  /** What the header says that there are. */
  readonly count?: number;
  readonly attributes?: number;
  /** What is made of the records' bytes. */
  readonly compress?: (records: Buffer) => Buffer;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value < 0 ? -2 * value - 1 : 2 * value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80);
  return Buffer.from([...bytes, left]);
}

const field = (content: string | Buffer | null | undefined) =>
  content === null || content === undefined
    ? varint(-1)
    : Buffer.concat([varint(Buffer.byteLength(content)), Buffer.from(content)]);

function recordOf({ key, value, headers = [], delta }: BatchRecord, place: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(delta ?? place),
    field(key),
    field(value),
    varint(headers.length),
    ...headers.flatMap(([name, text]) => [field(name), field(text)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/** A record batch of format 2, right but for what the options say. */
export function recordBatch(records: readonly BatchRecord[], options: BatchOptions = {}): Buffer {
  const { baseOffset = 0, attributes = 0, compress = (bytes) => bytes } = options;
  const content = compress(Buffer.concat(records.map(recordOf)));
  const batch = Buffer.alloc(61 + content.length);
  content.copy(batch, 61);
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(attributes, 21);
  batch.writeInt32BE(options.lastDelta ?? records.length - 1, 23);
  batch.writeBigInt64BE(1_700_000_000_000n, 27);
  batch.writeBigInt64BE(1_700_000_000_001n, 35);
  batch.writeBigInt64BE(-1n, 43);
  batch.writeInt32BE(options.count ?? records.length, 57);
  batch.writeUInt32BE(crc32c(batch, 21), 17);
  return batch;
}

/** A message of format 0 or 1. */
export function legacyMessage(magic: 0 | 1, offset: number, value: Buffer, codec = 0): Buffer {
  const time = Buffer.alloc(magic === 0 ? 0 : 8);
  const lengths = [Buffer.alloc(4, 0xff), Buffer.alloc(4)] as const;
  lengths[1].writeInt32BE(value.length);
  const content = Buffer.concat([Buffer.from([magic, codec]), time, ...lengths, value]);
  const head = Buffer.alloc(16);
  head.writeBigInt64BE(BigInt(offset), 0);
  head.writeInt32BE(content.length + 4, 8);
  head.writeUInt32BE(crc32(content), 12);
  return Buffer.concat([head, content]);
}
