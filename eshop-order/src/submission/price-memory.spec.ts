import { PriceMemory } from './price-memory.js';

function memory() {
  let time = 1_000;
  const prices = new PriceMemory(100, { now: () => time });
  const pass = (ms: number) => {
    time += ms;
  };
  return { prices, pass };
}

describe('PriceMemory', () => {
  it('remembers a price for its time and no longer, however often it is recalled', () => {
    const { prices, pass } = memory();
    prices.learn(1, 250);
    pass(60);
    expect(prices.recall(1)).toBe(250);
    pass(60);
    expect(prices.recall(1)).toBeUndefined();
  });

  it('forgets a product that is gone', () => {
    const { prices } = memory();
    prices.learn(1, 250);
    prices.learn(1, undefined);
    expect(prices.recall(1)).toBeUndefined();
  });

  it('names the prices in the second half of their time, the oldest first, as many as wanted', () => {
    const { prices, pass } = memory();
    prices.learn(1, 10);
    prices.learn(2, 20);
    pass(60);
    prices.recall(1);
    prices.learn(3, 30);
    expect(prices.dueSoon(10)).toEqual([1, 2]);
    expect(prices.dueSoon(1)).toEqual([1]);
  });

  it('stops renewing a price that nobody has wanted for a long time', () => {
    const { prices, pass } = memory();
    const renewed: boolean[] = [];
    prices.learn(1, 10);
    for (let round = 0; round < 30; round++) {
      pass(90);
      const due = prices.dueSoon(10).includes(1);
      if (due) prices.learn(1, 10);
      renewed.push(due);
    }
    expect(renewed[0]).toBe(true);
    expect(renewed.at(-1)).toBe(false);
  });
});
