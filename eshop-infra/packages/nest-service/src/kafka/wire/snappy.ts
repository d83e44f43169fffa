import { snappyUncompressor } from 'hysnappy';

/** Of snappy-java's stream, as Java's producers write it: the magic and two versions, then blocks with their lengths. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER = 16;
/** Of the framing format. https://github.com/google/snappy/blob/main/framing_format.txt */
const FRAMED = Buffer.from([0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);
const CHECKSUM = 4;

type Uncompress = ReturnType<typeof snappyUncompressor>;
let uncompress: Uncompress | undefined;

/**
 * Decompresses Snappy: one bare block, as librdkafka writes it, the stream of snappy-java or the framing format.
 * @throws Error for what is not Snappy, and when there are more than `limit` bytes
 */
export function decompressSnappy(input: Buffer, limit: number): Buffer {
  const parts: Uint8Array[] = [];
  let left = limit;
  for (const { bytes, compressed } of blocksOf(input)) {
    const length = compressed ? lengthOf(bytes) : bytes.length;
    left -= length;
    if (left < 0) throw new Error(`it holds more than ${limit} bytes`);
    parts.push(compressed ? blockOf(bytes, length) : bytes);
  }
  return Buffer.concat(parts);
}

interface Block {
  readonly bytes: Buffer;
  readonly compressed: boolean;
}

function* blocksOf(input: Buffer): Generator<Block> {
  if (input.subarray(0, XERIAL.length).equals(XERIAL)) {
    for (let at = XERIAL_HEADER; at < input.length; ) {
      // Streams that were put one behind the other.
      if (input.subarray(at, at + XERIAL.length).equals(XERIAL)) at += XERIAL_HEADER;
      const bytes = part(input, at + 4, input.readUInt32BE(at));
      yield { bytes, compressed: true };
      at += 4 + bytes.length;
    }
  } else if (input.subarray(0, FRAMED.length).equals(FRAMED)) {
    for (let at = 0; at < input.length; ) {
      const type = input.readUInt8(at);
      const chunk = part(input, at + 4, input.readUIntLE(at + 1, 3));
      if (type <= 1) yield { bytes: chunk.subarray(CHECKSUM), compressed: type === 0 };
      else if (type < 0x80) throw new Error(`Snappy: unknown chunk ${type}`);
      at += 4 + chunk.length;
    }
  } else yield { bytes: input, compressed: true };
}

function part(input: Buffer, start: number, length: number): Buffer {
  if (start + length > input.length) throw new Error('Snappy: a block ends beyond its stream');
  return input.subarray(start, start + length);
}

/** What a block says that it holds, in its first bytes. */
function lengthOf(block: Buffer): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block.readUInt8(at);
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length;
  }
  throw new Error('Snappy: not a block');
}

function blockOf(bytes: Buffer, length: number): Uint8Array {
  // An empty block is a mere length.
  if (length === 0) return bytes.subarray(0, 0);
  // WebAssembly's memory never shrinks and its state after a trap is not defined: what failed is thrown away.
  uncompress ??= snappyUncompressor();
  try {
    return uncompress(bytes, length);
  } catch (error) {
    uncompress = undefined;
    throw new Error(`Snappy: ${(error as Error).message}`, { cause: error });
  }
}
