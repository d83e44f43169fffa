import { formatTime } from '@eshop/proto';
import { Logger } from '@nestjs/common';

/** A column's value as the contract has it: a time is text. */
type Rendered<V> = V extends Date ? string : V;

/** An entity with its times as the contract has them: RFC 3339, UTC, milliseconds; empty where there is none. */
export type WithTimestamps<T> = { [K in keyof T]: Rendered<T[K]> };

/** So many rows of a table are told of; a table full of them would else fill the memory, and the log. */
const MAX_TOLD = 1_000;

/**
 * Makes the function that copies a row of `table` with each Date as text, `2026-11-22T17:00:00.123Z`. What is no time that could be
 * written, a zero date above all, becomes the empty text, so that one bad row does not take a whole list with it; the first
 * time that a row has one, the log says so.
 */
export function timestampsOf(table: string): <T extends { id: number }>(row: T) => WithTimestamps<T> {
  const logger = new Logger('Timestamps');
  const told = new Set<string>();
  const tell = (id: number, column: string): void => {
    const place = `${column} of row ${id}`;
    if (told.has(place) || told.size === MAX_TOLD) return;
    told.add(place);
    logger.warn(
      `table ${table}: ${place} is no time that can be written, as a zero date is none; it is shown as empty`,
    );
  };
  return <T extends { id: number }>(row: T) => {
    const result: Record<string, unknown> = { ...row };
    for (const [key, value] of Object.entries(result)) {
      if (!(value instanceof Date)) continue;
      const text = formatTime(value);
      result[key] = text;
      if (text === '') tell(row.id, key);
    }
    return result as WithTimestamps<T>;
  };
}
