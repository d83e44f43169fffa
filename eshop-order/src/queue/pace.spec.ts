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

  it('lets in fewer while something is being accepted, and the others when that is over', async () => {
    const pace = new Pace(3, 1);
    const accepted = Promise.withResolvers<void>();
    const accepting = pace.whileAccepting(() => accepted.promise);
    const orders = work(pace);
    const all = [orders.start(), orders.start(), orders.start()];
    await turn();
    expect(orders.running()).toBe(1);
    accepted.resolve();
    await accepting;
    await turn();
    expect(orders.running()).toBe(3);
    for (const _ of all) orders.end();
    await Promise.all(all);
  });

  it('gives the place back when the work fails', async () => {
    const pace = new Pace(1, 1);
    await expect(pace.inTurn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(pace.inTurn(async () => 'next')).resolves.toBe('next');
  });
});
