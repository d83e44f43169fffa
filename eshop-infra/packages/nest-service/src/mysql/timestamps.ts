/** An entity with its times as the contract has them: RFC 3339, UTC, milliseconds. */
export type WithTimestamps<T> = { [K in keyof T]: T[K] extends Date ? string : T[K] };

/** A copy in which each Date is text, `2026-11-22T17:00:00.123Z`. */
export function timestamps<T extends object>(row: T): WithTimestamps<T> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) result[key] = value instanceof Date ? value.toISOString() : value;
  return result as WithTimestamps<T>;
}
