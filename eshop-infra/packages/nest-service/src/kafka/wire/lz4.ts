/** Of a frame, of a frame to be passed over (its last four bits vary). https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
const FRAME = 0x184d2204;
const SKIPPABLE = 0x184d2a50;
const MIN_MATCH = 4;
/** Bytes that are copied faster one by one than by a call. */
const SHORT = 48;
const UNCOMPRESSED = 0x80000000;

/** A buffer that grows, but not beyond its limit. */
class Output {
  bytes: Buffer;
  length = 0;
  readonly #limit: number;

  constructor(expected: number, limit: number) {
    this.#limit = limit;
    this.bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(expected, 1_024), limit));
  }

  /** Makes room for so many bytes more. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.#limit) throw new Error(`it holds more than ${this.#limit} bytes`);
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, 2 * this.bytes.length), this.#limit));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  copyFrom(input: Buffer, start: number, count: number): void {
    if (start + count > input.length) throw new Error('LZ4: literals end beyond their block');
    this.reserve(count);
    if (count > SHORT) input.copy(this.bytes, this.length, start, start + count);
    else for (let i = 0; i < count; i++) this.bytes[this.length + i] = input[start + i] as number;
    this.length += count;
  }

  /** Repeats what was written `distance` bytes ago; a match may reach into itself. */
  repeat(distance: number, count: number, first: number): void {
    if (distance === 0 || distance > this.length - first) throw new Error('LZ4: a match begins before its frame');
    this.reserve(count);
    const from = this.length - distance;
    if (count <= SHORT) {
      for (let i = 0; i < count; i++) this.bytes[this.length + i] = this.bytes[from + i] as number;
    } else this.#repeatLong(from, distance, count);
    this.length += count;
  }

  #repeatLong(from: number, distance: number, count: number): void {
    for (let done = 0; done < count; ) {
      const step = Math.min(count - done, distance + done);
      this.bytes.copyWithin(this.length + done, from, from + step);
      done += step;
    }
  }
}

/**
 * Decompresses LZ4 frames, one or several, of linked or independent blocks. Checksums are passed over, since the CRC of a record batch
 * is one over the compressed bytes; so older producers' wrong header checksums (KIP-57) do no harm either. Ours, because no library
 * in JavaScript or WebAssembly is kept: lz4js is of 2016, and an addon does not go into the one file of a bundled service.
 * @throws Error for what is not LZ4, and when there are more than `limit` bytes
 */
export function decompressLz4(input: Buffer, limit: number): Buffer {
  const output = new Output(input.length * 4, limit);
  for (let at = 0; at < input.length; ) {
    const magic = input.readUInt32LE(at);
    if (magic === FRAME) at = readFrame(input, at + 4, output, limit);
    else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) at += 8 + input.readUInt32LE(at + 4);
    else throw new Error('LZ4: not a frame');
  }
  return output.bytes.subarray(0, output.length);
}

/** Returns where the frame ends. */
function readFrame(input: Buffer, start: number, output: Output, limit: number): number {
  const flags = input.readUInt8(start);
  if (flags >> 6 !== 1) throw new Error('LZ4: another version of the frame format');
  if (flags & 0x01) throw new Error('LZ4: the frame needs a dictionary');
  const blockChecksum = flags & 0x10 ? 4 : 0;
  const contentChecksum = flags & 0x04 ? 4 : 0;
  let at = start + 2;
  if (flags & 0x08) {
    if (input.readBigUInt64LE(at) > BigInt(limit)) throw new Error(`it holds more than ${limit} bytes`);
    at += 8;
  }
  at += 1;
  const first = output.length;
  for (;;) {
    const size = input.readUInt32LE(at);
    at += 4;
    if (size === 0) return at + contentChecksum;
    const length = size & ~UNCOMPRESSED;
    if (at + length > input.length) throw new Error('LZ4: a block ends beyond its frame');
    if (size >= UNCOMPRESSED) output.copyFrom(input, at, length);
    else readBlock(input.subarray(at, at + length), output, first);
    at += length + blockChecksum;
  }
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function readBlock(block: Buffer, output: Output, first: number): void {
  let at = 0;
  /** The length that begins in four bits and goes on in bytes while these are 255. */
  const lengthFrom = (bits: number): number => {
    let length = bits;
    if (bits < 15) return length;
    for (let byte = 255; byte === 255; ) {
      byte = block.readUInt8(at++);
      length += byte;
    }
    return length;
  };
  while (at < block.length) {
    const token = block.readUInt8(at++);
    const literals = lengthFrom(token >> 4);
    output.copyFrom(block, at, literals);
    at += literals;
    // The last sequence is literals only.
    if (at === block.length) return;
    const distance = block.readUInt16LE(at);
    at += 2;
    output.repeat(distance, lengthFrom(token & 15) + MIN_MATCH, first);
  }
}
