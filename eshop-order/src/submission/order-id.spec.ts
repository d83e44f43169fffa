import { newOrderID } from './order-id.js';

describe('newOrderID', () => {
  it('is 26 digits that begin with the UTC time', () => {
    expect(newOrderID(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toMatch(/^20260102030405678000\d{6}$/);
  });

  it('differs from call to call', () => {
    const ids = new Set(Array.from({ length: 1000 }, () => newOrderID()));
    expect(ids.size).toBe(1000);
  });
});
