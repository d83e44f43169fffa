import { expect, it } from '@jest/globals';
import { SharedReads } from './shared-reads.js';

/** A source whose reads end when they are told to, in their order. */
function source() {
  let value = 0;
  const open: (() => void)[] = [];
  const reads: number[] = [];
  return {
    reads,
    write: (next: number) => {
      value = next;
    },
    /** What is committed when the read begins is what it answers. */
    read: () => {
      const seen = value;
      reads.push(seen);
      return new Promise<number>((resolve) => open.push(() => resolve(seen)));
    },
    fail: () => {
      reads.push(-1);
      return new Promise<number>((_resolve, reject) => open.push(() => reject(new Error('lost'))));
    },
    end: async () => {
      open.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

it('reads once for all who wait, and shows each what was written before it asked', async () => {
  const { reads, write, read, end } = source();
  const shared = new SharedReads<number>();
  const first = shared.get('a', read);
  write(1);
  const later = Array.from({ length: 20 }, () => shared.get('a', read));
  expect(reads).toEqual([0]);
  await end();
  expect(await first).toBe(0);
  expect(reads).toEqual([0, 1]);
  write(2);
  const last = shared.get('a', read);
  await end();
  expect(await Promise.all(later)).toEqual(Array(20).fill(1));
  await end();
  expect(await last).toBe(2);
  expect(reads).toEqual([0, 1, 2]);
});

it('reads different things side by side', async () => {
  const { reads, read, end } = source();
  const shared = new SharedReads<number>();
  const both = [shared.get('a', read), shared.get('b', read)];
  expect(reads).toHaveLength(2);
  await end();
  await end();
  expect(await Promise.all(both)).toEqual([0, 0]);
});

it('reads again for those who wait when the read before them fails', async () => {
  const { reads, read, fail, end } = source();
  const shared = new SharedReads<number>();
  const first = shared.get('a', fail);
  const second = shared.get('a', read);
  const failed = expect(first).rejects.toThrow('lost');
  await end();
  await failed;
  expect(reads).toHaveLength(2);
  await end();
  expect(await second).toBe(0);
});

it('does not wait for a read that hangs', async () => {
  const shared = new SharedReads<string>();
  let end: (text: string) => void = () => undefined;
  const hung = shared.get('a', () => new Promise((resolve) => (end = resolve)));
  expect(await shared.get('a', async () => 'fresh')).toBe('fresh');
  expect(await shared.get('a', async () => 'later')).toBe('later');
  end('old');
  expect(await hung).toBe('old');
});
