import { Batcher } from './batcher.js';

describe('Batcher', () => {
  it('writes a lone item at once and what arrives meanwhile together', async () => {
    const written: number[][] = [];
    const batcher = new Batcher<number>(async (items) => {
      written.push([...items]);
      await new Promise(setImmediate);
    });
    await Promise.all([1, 2, 3, 4].map((item) => batcher.add(item)));
    expect(written).toEqual([[1], [2, 3, 4]]);
  });

  it('keeps to the size of a batch', async () => {
    const sizes: number[] = [];
    const batcher = new Batcher<number>(async (items) => {
      sizes.push(items.length);
    }, 2);
    await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
    expect(Math.max(...sizes)).toBe(2);
  });

  it('lets an item fail only for a reason of its own', async () => {
    const batcher = new Batcher<number>(async (items) => {
      await new Promise(setImmediate);
      if (items.includes(3)) throw new Error('three');
    });
    const results = await Promise.allSettled([1, 2, 3, 4].map((item) => batcher.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('goes on after a failure', async () => {
    let broken = true;
    const batcher = new Batcher<number>(async () => {
      if (broken) throw new Error('down');
    });
    await expect(batcher.add(1)).rejects.toThrow('down');
    broken = false;
    await expect(batcher.add(2)).resolves.toBeUndefined();
  });
});
