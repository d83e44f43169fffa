import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';

/** Bytes of a UTF-8 character at most. */
const CHARACTER = 4;
/** A number as protobuf has it, with its tag. */
const NUMBER = 11;
/** A time as the contract has it, with its tag and length. */
const TIME = 27;
/** Tag and length of a text. */
const TEXT_FRAME = 6;
/** Of a row, and room for what a service adds to it. */
const ROW_FRAME = 64;

const NUMBERS: ReadonlySet<string> = new Set([
  ...['bit', 'bool', 'boolean', 'tinyint', 'smallint', 'mediumint', 'int', 'integer', 'bigint'],
  ...['float', 'double', 'decimal', 'dec', 'numeric', 'real', 'year'],
]);
const TIMES: ReadonlySet<string> = new Set(['date', 'time', 'datetime', 'timestamp']);
const TEXTS: Readonly<Record<string, number>> = { tinytext: 255, tinyblob: 255, text: 65_535, blob: 65_535 };
const CHARACTERS: ReadonlySet<string> = new Set(['char', 'varchar', 'nchar', 'nvarchar', 'binary', 'varbinary']);

/** What rows of a table may need in a reply, known without reading one. */
export interface PageSize {
  /** Bytes of the widest row; infinite where a column has no bound of its own. */
  readonly widestRow: number;
  /** Bytes of a row beside its texts. */
  readonly fixed: number;
  /** Columns whose length is known only when the row is looked at. */
  readonly texts: readonly ColumnMetadata[];
}

/** Works out the sizes of the columns that lists read. */
export function pageSizeOf(columns: readonly ColumnMetadata[]): PageSize {
  let fixed = ROW_FRAME;
  let longest = 0;
  const texts: ColumnMetadata[] = [];
  for (const column of columns) {
    const type = typeof column.type === 'function' ? column.type.name.toLowerCase() : column.type;
    if (NUMBERS.has(type) || type === 'number') fixed += NUMBER;
    else if (TIMES.has(type)) fixed += TIME;
    else {
      fixed += TEXT_FRAME;
      longest += longestOf(type, Number(column.length) || 255);
      texts.push(column);
    }
  }
  return { widestRow: fixed + longest, fixed, texts };
}

function longestOf(type: string, length: number): number {
  if (CHARACTERS.has(type) || type === 'string') return length * CHARACTER;
  return TEXTS[type] ?? Number.POSITIVE_INFINITY;
}
