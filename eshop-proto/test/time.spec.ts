import { formatTime, parseFilterTime, parseTime } from '@eshop/proto';
import { type SetFlashSaleStockRequest, StockService } from '@eshop/proto/stock';
import { type HybridApp, startHybridApp } from './support/hybrid-app.ts';
import { calls } from './support/stock-controllers.ts';

/** A text and the time that it is in UTC; undefined: it is none. */
type Case = readonly [text: string, utc: string | undefined];

const times: readonly Case[] = [
  ['2026-11-22T17:00:00Z', '2026-11-22T17:00:00.000Z'],
  ['2026-11-22t17:00:00z', '2026-11-22T17:00:00.000Z'],
  ['2026-11-22T17:00:00.1Z', '2026-11-22T17:00:00.100Z'],
  ['2026-11-22T17:00:00.123Z', '2026-11-22T17:00:00.123Z'],
  // cut off, not rounded: a second later would be another second
  ['2026-11-22T17:00:00.123999999Z', '2026-11-22T17:00:00.123Z'],
  ['2026-11-22T17:00:00.9999Z', '2026-11-22T17:00:00.999Z'],
  ['2026-11-22T17:00:00+02:00', '2026-11-22T15:00:00.000Z'],
  ['2026-11-22T17:00:00-05:30', '2026-11-22T22:30:00.000Z'],
  ['2026-11-22T17:00:00-00:00', '2026-11-22T17:00:00.000Z'],
  ['2026-01-01T00:00:00+23:59', '2025-12-31T00:01:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['1000-01-01T00:00:00Z', '1000-01-01T00:00:00.000Z'],
  ['0999-12-31T23:59:59-00:01', '1000-01-01T00:00:59.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999Z'],
  // the range is that of the time in UTC
  ['9999-12-31T23:59:59-12:00', undefined],
  ['9999-12-31T23:59:59-00:01', undefined],
  ['1000-01-01T00:00:00+00:01', undefined],
  ['0999-12-31T23:59:59Z', undefined],
  ['0001-01-01T00:00:00Z', undefined],
  ['0000-01-01T00:00:00Z', undefined],
  ['0000-00-00T00:00:00Z', undefined],
  ['-001-01-01T00:00:00Z', undefined],
  ['+02026-01-01T00:00:00Z', undefined],
  ['10000-01-01T00:00:00Z', undefined],
  // days and times of day that do not exist
  ['2026-02-29T00:00:00Z', undefined],
  ['2026-02-30T00:00:00Z', undefined],
  ['1900-02-29T00:00:00Z', undefined],
  ['2026-04-31T00:00:00Z', undefined],
  ['2026-00-01T00:00:00Z', undefined],
  ['2026-01-00T00:00:00Z', undefined],
  ['2026-13-01T00:00:00Z', undefined],
  ['2026-01-32T00:00:00Z', undefined],
  ['2026-01-01T24:00:00Z', undefined],
  ['2026-01-01T23:60:00Z', undefined],
  ['2026-01-01T23:59:60Z', undefined],
  ['2016-12-31T23:59:60Z', undefined],
  ['2026-01-01T00:00:00+24:00', undefined],
  ['2026-01-01T00:00:00+12:60', undefined],
  ['2026-01-01T00:00:00-99:99', undefined],
  // other forms
  ['2026-01-01T00:00:00+0200', undefined],
  ['2026-01-01T00:00:00+02', undefined],
  ['2026-01-01T00:00Z', undefined],
  ['2026-01-01T00:00:00.Z', undefined],
  ['2026-01-01T00:00:00,5Z', undefined],
  ['2026-01-01Z', undefined],
  ['2026-1-1T00:00:00Z', undefined],
  ['2026-01-01T00:00:00Z\n', undefined],
  ['2026-01-01T00:00:00ZZ', undefined],
  ['２026-01-01T00:00:00Z', undefined],
  ['Thu, 01 Jan 2026 00:00:00 GMT', undefined],
  ['1767225600000', undefined],
  ['tomorrow', undefined],
];

/** What only the filter of a list may leave out. */
const shorthands: readonly Case[] = [
  ['2026-11-22', '2026-11-22T00:00:00.000Z'],
  ['2026-11-22 17:00:00', '2026-11-22T17:00:00.000Z'],
  ['2026-11-22T17:00:00', '2026-11-22T17:00:00.000Z'],
  ['2026-11-22 17:00:00.5+02:00', '2026-11-22T15:00:00.500Z'],
  [' 2026-11-22T17:00:00Z ', '2026-11-22T17:00:00.000Z'],
  ['2026-02-30', undefined],
  ['0000-00-00', undefined],
  ['0999-12-31', undefined],
  ['0000-00-00 00:00:00', undefined],
  ['2026-01-01 24:00:00', undefined],
  ['9999-12-31 23:59:59-12:00', undefined],
  ['', undefined],
];

const isBlank = (text: string) => text.trim() === '';

describe('a time', () => {
  it.each(times)('%j is %s', (text, utc) => {
    expect(parseTime(text)?.toISOString()).toBe(utc);
  });

  it.each(shorthands)('%j is none of RFC 3339', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  it.each([...times.filter(([text]) => !text.endsWith('\n')), ...shorthands])('in a filter %j is %s', (text, utc) => {
    expect(parseFilterTime(text)?.toISOString()).toBe(utc);
  });

  it('is written in UTC with milliseconds, and empty where there is none', () => {
    expect(formatTime(new Date(1))).toBe('1970-01-01T00:00:00.001Z');
    expect(formatTime(null)).toBe('');
    expect(formatTime(undefined)).toBe('');
    // what drivers make of 0000-00-00
    expect(formatTime(new Date(Number.NaN))).toBe('');
    expect(formatTime(new Date(253_402_300_800_000))).toBe('');
    expect(formatTime(new Date('0999-12-31T23:59:59.999Z'))).toBe('');
  });
});

describe('a time in a request', () => {
  let app: HybridApp;
  beforeAll(async () => {
    app = await startHybridApp();
  });
  afterAll(() => app.close());

  async function overHttp(body: object): Promise<unknown> {
    const response = await fetch(`${app.http}/api/v1/stock/setFlashSale`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.ok ? [] : ((await response.json()) as { violations: object[] }).violations;
  }

  async function overGrpc(request: SetFlashSaleStockRequest): Promise<unknown> {
    try {
      await app.call(StockService.setFlashSaleStock, request);
      return [];
    } catch (error) {
      return (JSON.parse((error as { details: string }).details) as { violations: object[] }).violations;
    }
  }

  it.each([
    ...times.map(([text, utc]) => [text, utc !== undefined] as const),
    ...shorthands.filter(([text]) => !isBlank(text)).map(([text]) => [text, false] as const),
    ['', true] as const,
  ])('%j is taken: %s, over HTTP as over gRPC', async (closesAt, taken) => {
    const before = calls.length;
    const request = { productID: 1, stock: 1, closesAt };
    const expected = taken ? [] : [expect.objectContaining({ field: 'closesAt', rule: 'timestamp' })];
    expect(await overHttp(request)).toEqual(expected);
    expect(await overGrpc(request)).toEqual(expected);
    expect(calls.length).toBe(before + (taken ? 2 : 0));
  });

  it('a time in milliseconds has the same end', async () => {
    const change = { productID: 1, saleID: 1, version: 1, granted: 0, withdrawn: 0, limitPerUser: 0, status: 1 };
    const apply = (closesAtMs: number) =>
      app.call(StockService.applySale, { ...change, opensAtMs: 0, closesAtMs }).then(
        () => 'taken',
        (error: { details: string }) => error.details,
      );
    expect(await apply(253_402_300_799_999)).toBe('taken');
    expect(await apply(253_402_300_800_000)).toMatch(/closesAtMs.*uint64\.lte/);
  });
});
