import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { snappyCompress } from 'hysnappy';
import { decompress } from '../src/kafka/wire/compression.js';
import { crc32c } from '../src/kafka/wire/crc32c.js';
import type { FetchedMessage, Room } from '../src/kafka/wire/message.js';
import { readPartition } from '../src/kafka/wire/partition-records.js';
import { type BatchOptions, type BatchRecord, legacyMessage, recordBatch } from './support/record-batch.js';

const MIB = 1_048_576;
const text = Array.from({ length: 20_000 }, (_, i) => `line ${i % 97} of ${Math.floor(i / 5_000)}\n`).join('');
const snappy = (content: Buffer) => Buffer.from(snappyCompress(content));
const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'support', name));

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const xerialHead = Buffer.from([0x82, ...Buffer.from('SNAPPY\0'), 0, 0, 0, 1, 0, 0, 0, 1]);
const halves = [Buffer.from(text.slice(0, 100_000)), Buffer.from(text.slice(100_000))] as const;
const xerial = (content: Buffer) => {
  const block = snappy(content);
  return [int32(block.length), block];
};
const chunk = (type: number, content: Buffer) => {
  const head = Buffer.from([type, 0, 0, 0]);
  head.writeUIntLE(content.length, 1, 3);
  return Buffer.concat([head, content]);
};
const framed = Buffer.concat([
  chunk(0xff, Buffer.from('sNaPpY')),
  chunk(0x00, Buffer.concat([Buffer.alloc(4), snappy(halves[0])])),
  chunk(0xfe, Buffer.from('padding')),
  chunk(0xff, Buffer.from('sNaPpY')),
  chunk(0x01, Buffer.concat([Buffer.alloc(4), halves[1]])),
]);
const skippable = Buffer.from([0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe('decompressing', () => {
  test.each<[string, number, Buffer, string?]>([
    ['gzip', 1, gzipSync(text)],
    ['gzip in two members', 1, Buffer.concat(halves.map((half) => gzipSync(half)))],
    ['Snappy, bare', 2, snappy(Buffer.from(text))],
    ['Snappy of Java', 2, Buffer.concat([xerialHead, ...halves.flatMap(xerial)])],
    ['Snappy of Java, two streams', 2, Buffer.concat(halves.flatMap((half) => [xerialHead, ...xerial(half)]))],
    ['Snappy, framed', 2, framed],
    ['Snappy, nothing', 2, snappy(Buffer.alloc(0)), ''],
    ['LZ4 of linked blocks with checksums and its size', 3, fixture('linked.lz4')],
    ['LZ4 of independent blocks', 3, fixture('independent.lz4')],
    [
      'LZ4 in two frames',
      3,
      Buffer.concat([fixture('linked.lz4'), skippable, fixture('independent.lz4')]),
      text + text,
    ],
    ['Zstandard', 4, zstdCompressSync(text)],
    ['Zstandard in two frames', 4, Buffer.concat(halves.map((half) => zstdCompressSync(half)))],
  ])('%s', async (_name, codec, input, expected = text) => {
    const output = await decompress(codec, input, MIB);
    expect(output.toString() === expected).toBe(true);
  });

  const zeros = Buffer.alloc(4 * MIB);
  test.each<[string, number, Buffer]>([
    ['gzip', 1, gzipSync(zeros)],
    ['Snappy', 2, snappy(zeros)],
    ['Snappy that says so only', 2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])],
    [
      'Snappy of Java',
      2,
      Buffer.concat([xerialHead, ...[1, 2, 3, 4, 5].flatMap(() => xerial(zeros.subarray(MIB * 3)))]),
    ],
    ['LZ4', 3, Buffer.concat([1, 2, 3, 4, 5].map(() => fixture('linked.lz4')))],
    ['Zstandard', 4, zstdCompressSync(zeros)],
  ])('%s ends at its bound', async (_name, codec, input) => {
    await expect(decompress(codec, input, MIB)).rejects.toThrow('it holds more than 1048576 bytes');
  });

  test.each<[string, number, Buffer]>([
    ['gzip', 1, gzipSync(text)],
    ['Snappy', 2, snappy(Buffer.from(text))],
    ['Snappy of Java', 2, Buffer.concat([xerialHead, ...halves.flatMap(xerial)])],
    ['Snappy, framed', 2, framed],
    ['LZ4', 3, fixture('linked.lz4')],
    ['LZ4 of independent blocks', 3, fixture('independent.lz4')],
    ['Zstandard', 4, zstdCompressSync(text)],
  ])('%s that is damaged anywhere ends with an error or not, but ends', async (_name, codec, input) => {
    const step = Math.max(1, Math.floor(input.length / 300));
    for (let at = 0; at < input.length; at += step) {
      const damaged = Buffer.from(input);
      damaged[at] = (damaged[at] as number) ^ 0xff;
      const [whole, cut] = await Promise.allSettled([
        decompress(codec, damaged, MIB),
        decompress(codec, input.subarray(0, at), MIB),
      ]);
      for (const { status, ...rest } of [whole, cut]) {
        if (status === 'rejected') expect(rest).toMatchObject({ reason: { message: expect.any(String) } });
        else expect((rest as { value: Buffer }).value.length).toBeLessThanOrEqual(MIB);
      }
    }
  });
});

test('CRC-32C of the standard', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
});

const room = (): Room => ({ batchBytes: 32 * MIB, records: 10_000, recordBytes: MIB });
const read = (bytes: Buffer, fetchOffset = 0, highWatermark = 1_000_000, space = room()) =>
  readPartition(bytes, { fetchOffset, highWatermark }, space);

const brief = (messages: readonly FetchedMessage[]) =>
  messages.map(({ offset, value, unreadable, isControlRecord }) => {
    if (!unreadable) return isControlRecord ? `${offset} gap` : `${offset} ${String(value)}`;
    return `${unreadable.firstOffset}-${unreadable.lastOffset} ${unreadable.cause}`;
  });

const batch = (values: readonly string[], options: BatchOptions = {}) =>
  recordBatch(
    values.map((value) => ({ value })),
    options,
  );

/** Three batches of two: offsets 10 to 15. The second one is changed. */
function changed(change: (second: Buffer) => Buffer | undefined): Buffer {
  const [first, second, third] = ['abcdef'.slice(0, 2), 'cd', 'ef'].map((pair, i) =>
    batch([...pair], { baseOffset: 10 + 2 * i }),
  ) as [Buffer, Buffer, Buffer];
  return Buffer.concat([first, change(second) ?? second, third]);
}

function written(bytes: Buffer, write: () => number): Buffer {
  write();
  return bytes;
}

/** As a producer that is wrong would write it: with the right checksum. */
function resealed(bytes: Buffer, write: () => number): Buffer {
  write();
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return bytes;
}

describe('reading a partition', () => {
  test('gives what was asked for, headers of any name and none without a value', async () => {
    const headers = [
      ['a', '1'],
      ['empty', null],
      ['__proto__', 'p'],
      ['a', '2'],
    ] as const;
    const records: BatchRecord[] = [{ value: 'before' }, { key: 'k', value: null, headers }, { value: '' }];
    const messages = await read(recordBatch(records, { baseOffset: 7 }), 8);
    expect(messages.map(({ offset, key, value }) => [offset, key?.toString(), value?.toString()])).toEqual([
      ['8', 'k', undefined],
      ['9', undefined, ''],
    ]);
    expect(Object.entries(messages[0]?.headers ?? {}).map(([name, value]) => [name, String(value)])).toEqual([
      ['a', '1,2'],
      ['__proto__', 'p'],
    ]);
    expect(messages[0]?.timestamp).toBe('1700000000000');
  });

  test('goes on with the next fetch where a large batch was left', async () => {
    const count = 30_000;
    const values = Array.from({ length: count }, (_, i) => String(i));
    const bytes = batch(values, { attributes: 4, compress: (records) => zstdCompressSync(records) });
    let next = 0;
    for (let fetches = 1; next < count; fetches++) {
      const messages = await read(bytes, next);
      expect(messages).toHaveLength(10_000);
      expect(messages.every(({ offset, value }, i) => offset === String(next + i) && String(value) === offset)).toBe(
        true,
      );
      next += messages.length;
      expect(fetches).toBeLessThanOrEqual(3);
    }
  });

  test('keeps no more bytes than a fetch may, but at least one record', async () => {
    const values = Array.from({ length: 8 }, (_, i) => String(i).padEnd(600_000));
    const bytes = batch(values, { attributes: 1, compress: (records) => gzipSync(records) });
    expect(await read(bytes)).toHaveLength(2);
    expect(await read(batch(['x'.repeat(2 * MIB), 'y']))).toHaveLength(1);
    expect(await read(bytes, 0, 100, { ...room(), batchBytes: 0 })).toEqual([]);
  });

  test('passes over what compaction has emptied', async () => {
    expect(brief(await read(recordBatch([], { baseOffset: 5, lastDelta: 3 }), 6))).toEqual(['8 gap']);
    const tail = recordBatch([{ value: 'a' }], { baseOffset: 5, lastDelta: 3 });
    expect(brief(await read(tail, 6))).toEqual(['8 gap']);
    expect(brief(await read(Buffer.concat([tail, batch(['z'], { baseOffset: 9 })]), 6))).toEqual(['9 z']);
  });

  test.each([0, 1] as const)('of message format %i, single and in sets', async (magic) => {
    const inner = (offsets: readonly number[]) =>
      gzipSync(Buffer.concat(offsets.map((offset) => legacyMessage(magic, offset, Buffer.from(`in ${offset}`)))));
    const set = legacyMessage(magic, 6, inner(magic === 0 ? [4, 5, 6] : [0, 1, 2]), 1);
    const bytes = Buffer.concat([legacyMessage(magic, 3, Buffer.from('one')), set]);
    expect(brief(await read(bytes, 3)).map((entry) => entry.split(' ')[0])).toEqual(['3', '4', '5', '6']);
    expect(await read(bytes, 5)).toHaveLength(2);
    bytes[20] = 7;
    expect(brief(await read(bytes, 3))).toEqual(['3-3 its checksum is wrong']);
  });

  test('leaves the last batch when it is cut off', async () => {
    const bytes = changed((second) => second);
    expect(brief(await read(bytes.subarray(0, -1), 10))).toEqual(['10 a', '11 b', '12 c', '13 d']);
    expect(brief(await read(Buffer.concat([bytes, Buffer.alloc(9)]), 10))).toHaveLength(6);
    expect(await read(Buffer.alloc(0))).toEqual([]);
  });

  const good = ['10 a', '11 b'];
  test.each<[string, (second: Buffer) => Buffer | undefined, string]>([
    ['a byte of a record', (b) => written(b, () => b.writeUInt8(0, 66)), '12-13 its checksum is wrong'],
    ['its checksum', (b) => written(b, () => b.writeUInt8(b.readUInt8(17) ^ 1, 17)), '12-13 its checksum is wrong'],
    [
      'its last offset, to large',
      (b) => written(b, () => b.writeInt32BE(2 ** 30, 23)),
      '12-13 its offsets cannot be right',
    ],
    [
      'its last offset, to negative',
      (b) => written(b, () => b.writeInt32BE(-5, 23)),
      '12-13 its offsets cannot be right',
    ],
    ['its first offset, to large', (b) => written(b, () => b.writeUInt8(9, 2)), '12-13 its offsets cannot be right'],
    [
      'its first offset, to one before',
      (b) => written(b, () => b.writeUInt8(3, 7)),
      '12-13 its offsets cannot be right',
    ],
    ['its length, to nothing', (b) => written(b, () => b.writeInt32BE(0, 8)), '12-13 its length cannot be right'],
    ['its length, to negative', (b) => written(b, () => b.writeInt32BE(-100, 8)), '12-13 its length cannot be right'],
    ['its format', (b) => written(b, () => b.writeInt8(3, 16)), '12-13 format 3 is not known'],
    [
      'its codec, to an unknown one',
      (b) => resealed(b, () => b.writeInt16BE(5, 21)),
      '12-13 compression codec 5 is not known',
    ],
    ['its codec, to a wrong one', (b) => resealed(b, () => b.writeInt16BE(1, 21)), '12-13 incorrect header check'],
    [
      'its count, to more',
      (b) => resealed(b, () => b.writeInt32BE(2 ** 31 - 1, 57)),
      '12-13 a number ends beyond its record',
    ],
    [
      'its count, to less',
      (b) => resealed(b, () => b.writeInt32BE(1, 57)),
      '12-13 there are bytes behind its last record',
    ],
    ['the length of a record', (b) => resealed(b, () => b.writeUInt8(200, 61)), '12-13 a record ends beyond it'],
    ['the length of a field', (b) => resealed(b, () => b.writeUInt8(80, 66)), '12-13 a field ends beyond its record'],
    [
      'the offset of a record',
      (b) => resealed(b, () => b.writeUInt8(80, 64)),
      '12-13 a record has an offset outside of it',
    ],
  ])('ends at a batch that is not right in %s', async (_what, change, expected) => {
    const messages = brief(await read(changed(change), 10));
    expect(messages.slice(0, 2)).toEqual(good);
    expect(messages.slice(2)).toEqual([expected]);
    // What lies behind it is found afterwards.
    const behind = changed(change).subarray((changed(() => undefined).length / 3) * 2);
    expect(brief(await read(behind, 14))).toEqual(['14 e', '15 f']);
  });

  test('a first batch that is cut off, or not one at all, is what cannot be read', async () => {
    const bytes = batch(['a', 'b', 'c'], { baseOffset: 10 });
    expect(brief(await read(bytes.subarray(0, -1), 11, 20))).toEqual(['11-12 it is cut off']);
    expect(brief(await read(Buffer.alloc(5), 11, 20))).toEqual(['11-11 it is cut off']);
    expect(brief(await read(Buffer.alloc(500, 0xee), 11, 20))).toEqual(['11-11 its length cannot be right']);
  });

  test('whatever byte is changed, records are as they were written or lie in what cannot be read', async () => {
    const whole = changed(() => undefined);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0x81;
      const messages = await read(bytes, 10, 16);
      const values = messages.filter(({ unreadable, isControlRecord }) => !unreadable && !isControlRecord);
      for (const { offset, value } of values)
        expect(`${offset} ${value}`).toBe(`${offset} ${'abcdef'[Number(offset) - 10]}`);
    }
  });
});
