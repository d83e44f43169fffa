import { percentile, percentiles } from './percentiles.ts';

describe('percentile', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1);

  it.each([
    [0, 1],
    [0.5, 50],
    [0.95, 95],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
  ])('%d of 1…100 is %d', (share, value) => {
    expect(percentile(hundred, share)).toBe(value);
  });

  it('of one value is that value', () => {
    expect(percentile(Float64Array.of(7), 0.01)).toBe(7);
    expect(percentile(Float64Array.of(7), 0.99)).toBe(7);
  });
});

describe('percentiles', () => {
  it('takes values in any order and sorts them as numbers', () => {
    expect(percentiles([100, 9, 20, 3])).toEqual({ p50: 9, p95: 100, p99: 100, max: 100 });
  });

  it('are 0 when there is nothing', () => {
    expect(percentiles([])).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
  });
});
