import { describe, expect, test } from '@jest/globals';
import { RestartDelay } from './restart-delay.js';

describe('the delay before a group is joined again', () => {
  test('doubles up to ten seconds, although joining works', () => {
    const delay = new RestartDelay();
    const delays = [0, 50, 1_000, 0, 9_999, 0, 0, 0].map((memberMs) => delay.next(memberMs));
    expect(delays).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  });

  test('is short again after a membership that lasted', () => {
    const delay = new RestartDelay();
    for (let failed = 0; failed < 20; failed++) delay.next(0);
    expect(delay.next(10_000)).toBe(200);
    expect(delay.next(0)).toBe(400);
  });
});
