import { promisify } from 'node:util';
import { unzip, zstdDecompress } from 'node:zlib';
import { decompressLz4 } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';

const unzipped = promisify(unzip);
const unzstd = promisify(zstdDecompress);

/** Codecs by their number in a batch's attributes; 0 is none. */
const codecs: Readonly<Record<number, (input: Buffer, limit: number) => Buffer | Promise<Buffer>>> = {
  1: (input, limit) => unzipped(input, { maxOutputLength: limit }),
  2: decompressSnappy,
  3: decompressLz4,
  4: (input, limit) => unzstd(input, { maxOutputLength: limit }),
};

/**
 * Decompresses what a producer or the broker has compressed.
 * @param codec as the attributes say
 * @throws Error for a codec that nobody knows, for what cannot be decompressed, and when there are more than `limit` bytes
 */
export async function decompress(codec: number, input: Buffer, limit: number): Promise<Buffer> {
  const decode = codecs[codec];
  if (!decode) throw new Error(`compression codec ${codec} is not known`);
  try {
    return await decode(input, limit);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw new Error(`it holds more than ${limit} bytes`, { cause: error });
  }
}
