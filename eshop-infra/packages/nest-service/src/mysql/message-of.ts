import { type ColumnTable, formatTime } from '@eshop/proto';
import { Logger } from '@nestjs/common';

/** A column's value as the contract has it: a time is text. */
type Rendered<V> = [Extract<V, Date>] extends [never] ? V : string;

/** An entity with its times as the contract has them: RFC 3339, UTC, milliseconds; empty where there is none. */
export type MessageOf<T> = { [K in keyof T]: Rendered<T[K]> };

/** So many values of a table are told of; a table full of them would else fill the memory, and the log. */
const MAX_TOLD = 1_000;

/**
 * Makes the function that copies a row of `table` as the contract has it: each time as text, `2026-11-22T17:00:00.123Z`, empty where
 * there is none. A value that the contract cannot carry does not take a whole list with it: what is no time that could be written (a
 * zero date) is shown as empty, an integer beyond 2^53-1 as 2^53-1, NULL where none belongs as zero or empty; the log tells of each
 * once.
 *
 * @param columns of the entity in the contract, its times among them
 */
export function messageOf(table: string, columns: ColumnTable): <T extends { id: number }>(row: T) => MessageOf<T> {
  const kinds = new Map(Object.values(columns).map(({ field, kind }) => [field, kind]));
  const logger = new Logger('Rows');
  const told = new Set<string>();
  const tell = (id: number, column: string, what: string): void => {
    const place = `${column} of row ${id}`;
    if (told.has(place) || told.size === MAX_TOLD) return;
    told.add(place);
    logger.warn(`table ${table}: ${place} ${what}`);
  };
  return <T extends { id: number }>(row: T) => {
    const result: Record<string, unknown> = { ...row };
    for (const [key, value] of Object.entries(result)) {
      const kind = kinds.get(key);
      if (value instanceof Date) {
        const text = formatTime(value);
        result[key] = text;
        if (text === '')
          tell(row.id, key, 'is no time that can be written, as a zero date is none; it is shown as empty');
      } else if (value === null && kind) {
        result[key] = kind === 'string' || kind === 'timestamp' ? '' : 0;
        if (kind !== 'timestamp') tell(row.id, key, 'is NULL');
      } else if (kind === 'uint64' && typeof value === 'string' && !Number.isSafeInteger(Number(value))) {
        // mysql2 gives an integer as text where a number would be another one.
        result[key] = Number.MAX_SAFE_INTEGER;
        tell(row.id, key, `is ${value}; it is shown as 2^53-1, the largest number there is in the contract`);
      }
    }
    return result as MessageOf<T>;
  };
}
