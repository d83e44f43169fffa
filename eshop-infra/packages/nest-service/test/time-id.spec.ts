import { describe, expect, it } from '@jest/globals';
import { newTimeID } from '../src/index.js';

describe('an id that sorts by its time', () => {
  it('is 26 digits that begin with the UTC time', () => {
    expect(newTimeID(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toMatch(/^20260102030405678000\d{6}$/);
  });

  it('differs from call to call', () => {
    const ids = new Set(Array.from({ length: 1000 }, () => newTimeID()));
    expect(ids.size).toBe(1000);
  });
});
