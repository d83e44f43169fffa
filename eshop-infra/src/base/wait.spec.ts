import { setTimeout as pause } from 'node:timers/promises';
import { waitUntilNone } from './wait.ts';

describe('waiting until none is left', () => {
  it('goes on for as long as they become fewer, however slowly', async () => {
    let left = 4;
    const seen: number[] = [];
    const count = async () => {
      await pause(20);
      return --left;
    };
    const ended = await waitUntilNone(count, { patienceMs: 1, everyMs: 1, onCount: (now) => seen.push(now) });
    expect([ended, seen]).toEqual([0, [3, 2, 1, 0]]);
  });

  it('ends when they do not become fewer any more, and tells how many are left', async () => {
    const counts = [9, 7, 8];
    expect(await waitUntilNone(async () => counts.shift() ?? 7, { patienceMs: 50, everyMs: 1 })).toBe(7);
  });
});
