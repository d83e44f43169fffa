import { jest } from '@jest/globals';
import { Pace } from './pace.js';

function work(pace: Pace) {
  const ends: (() => void)[] = [];
  let running = 0;
  const start = () =>
    pace.inTurn(async () => {
      running++;
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
    });
  return { start, end: () => ends.shift()?.(), running: () => running };
}

const turn = () => new Promise(setImmediate);

describe('Pace', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('lets in as many as its limit, first come first served', async () => {
    const pace = new Pace(2, 1);
    const orders = work(pace);
    const all = [orders.start(), orders.start(), orders.start()];
    await turn();
    expect(orders.running()).toBe(2);
    orders.end();
    await all[0];
    await turn();
    expect(orders.running()).toBe(2);
    orders.end();
    orders.end();
    await Promise.all(all);
  });

  it('lets in one less for each that is accepted, the least in any case, and the others a moment later', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const pace = new Pace(3, 1, 100);
    const accepted = [1, 2, 3, 4].map(() => Promise.withResolvers<void>());
    const accepting = accepted.map(({ promise }) => pace.whileAccepting(() => promise));
    const orders = work(pace);
    const all = [orders.start(), orders.start(), orders.start()];
    await turn();
    expect(orders.running()).toBe(1);
    for (const left of [3, 2, 1, 0]) {
      const before = orders.running();
      accepted[left]?.resolve();
      await accepting[left];
      await turn();
      expect(orders.running()).toBe(before);
      jest.advanceTimersByTime(100);
      await turn();
      expect(orders.running()).toBe(Math.max(1, 3 - left));
    }
    for (const _ of all) orders.end();
    await Promise.all(all);
  });

  it('gives the place back when the work fails', async () => {
    const pace = new Pace(1, 1);
    await expect(pace.inTurn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(pace.inTurn(async () => 'next')).resolves.toBe('next');
  });
});
