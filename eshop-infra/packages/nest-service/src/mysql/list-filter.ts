import { type ColumnTable, ContractError, parseFilterTime, TIME_DESCRIPTION, type Violation } from '@eshop/proto';
import type { SqlValue } from './sql.js';

/** The contract's `api.types.Params`. */
export interface ListParams {
  /** Counted from 0. */
  readonly page?: number;
  /** Rows on a page, 1 … 1000; 0 or absent = 10. */
  readonly limit?: number;
  /** Column names separated by commas, `-` in front = descending; `ignore count` = newest first without a total. */
  readonly sort?: string;
  readonly columns?: readonly ListColumn[];
}

export interface ListColumn {
  readonly name?: string;
  /** `=` when absent. */
  readonly exp?: string;
  readonly value?: string;
  /** How the next column is joined; `and` when absent. */
  readonly logic?: string;
}

/** The parts of a SELECT; only known column names and placeholders get into its text. */
export interface ListFilter {
  /** Condition in parentheses, or empty. */
  readonly where: string;
  readonly values: readonly SqlValue[];
  readonly orderBy: string;
  readonly limit: number;
  readonly offset: number;
  readonly count: boolean;
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '': '=',
  '=': '=',
  eq: '=',
  '!=': '<>',
  neq: '<>',
  '>': '>',
  gt: '>',
  '>=': '>=',
  gte: '>=',
  '<': '<',
  lt: '<',
  '<=': '<=',
  lte: '<=',
  like: 'LIKE',
  in: 'IN',
};
const LOGICS: Readonly<Record<string, string>> = {
  '': 'AND',
  '&': 'AND',
  '&&': 'AND',
  and: 'AND',
  '|': 'OR',
  '||': 'OR',
  or: 'OR',
};
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1000;
const MAX_COLUMNS = 100;
const MAX_VALUES = 1000;
const IGNORE_COUNT = 'ignore count';
const ID = 'id';

/**
 * Reads list parameters against the contract's allow-list.
 * @throws ContractError INVALID_PARAMETER naming every unknown column, operator, value and sort
 */
export function listFilter(table: ColumnTable, params: ListParams = {}): ListFilter {
  const violations: Violation[] = [];
  const { page = 0, limit = 0, sort = '', columns = [] } = params;
  const refuse = (field: string, rule: string, description: string) => {
    violations.push({ field: `params.${field}`, rule, description });
  };
  if (!Number.isInteger(page) || page < 0) refuse('page', 'int32.gte', 'must be 0 or more');
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_LIMIT) {
    refuse('limit', 'int32.lte', `must be 0 to ${MAX_LIMIT}`);
  }
  const { where, values } = condition(table, columns, refuse);
  const count = sort.trim().toLowerCase() !== IGNORE_COUNT;
  const orderBy = order(table, count ? sort : '', refuse);
  if (violations.length > 0) throw new ContractError('INVALID_PARAMETER', undefined, { violations });
  const rows = limit === 0 ? DEFAULT_LIMIT : limit;
  return { where, values, orderBy, limit: rows, offset: page * rows, count };
}

type Refuse = (field: string, rule: string, description: string) => void;

function condition(table: ColumnTable, columns: readonly ListColumn[], refuse: Refuse) {
  if (columns.length > MAX_COLUMNS) {
    refuse('columns', 'repeated.max_items', `must be ${MAX_COLUMNS} at most`);
    return { where: '', values: [] };
  }
  const values: SqlValue[] = [];
  const parts: string[] = [];
  const [first] = columns;
  const sameColumn =
    columns.length > 1 &&
    columns.every((column) => column.name === first?.name && COMPARISONS[(column.exp ?? '').toLowerCase()] === '=');
  columns.forEach((column, index) => {
    const at = `columns[${index}]`;
    const { name = '', exp = '', value = '', logic = '' } = column;
    const known = own(table, name);
    const operator = own(COMPARISONS, exp.toLowerCase());
    const join = own(LOGICS, logic.toLowerCase());
    if (!known) refuse(`${at}.name`, 'column', `is not a column: ${Object.keys(table).join(', ')}`);
    if (!operator) refuse(`${at}.exp`, 'operator', 'must be =, !=, >, >=, <, <=, like or in');
    if (!join) refuse(`${at}.logic`, 'logic', 'must be and or or');
    if (!known || !operator || !join) return;
    const texts = operator === 'IN' ? value.split(',') : [value];
    if (texts.length > MAX_VALUES) refuse(`${at}.value`, 'repeated.max_items', `must be ${MAX_VALUES} values at most`);
    for (const text of texts) {
      const bound = operator === 'LIKE' ? `%${text.replace(/[!%_]/g, '!$&')}%` : readValue(known.kind, text);
      if (bound === undefined) refuse(`${at}.value`, 'type', describe(known.kind));
      else values.push(bound);
    }
    const placeholder =
      operator === 'IN' ? `(${texts.map(() => '?').join(', ')})` : operator === 'LIKE' ? "? ESCAPE '!'" : '?';
    parts.push(`\`${name}\` ${operator} ${placeholder}`);
    if (index < columns.length - 1) parts.push(join);
  });
  // Several values for one column mean "one of them", whatever the logic between them says.
  if (sameColumn) return { where: `(\`${first?.name}\` IN (${values.map(() => '?').join(', ')}))`, values };
  return { where: parts.length > 0 ? `(${parts.join(' ')})` : '', values };
}

function order(table: ColumnTable, sort: string, refuse: Refuse): string {
  const text = sort.replaceAll(' ', '');
  if (text === '') return `\`${ID}\` DESC`;
  const names: string[] = [];
  const parts = text.split(',').map((part) => {
    const descending = part.startsWith('-');
    const name = descending ? part.slice(1) : part;
    if (!own(table, name))
      refuse('sort', 'column', `"${part.slice(0, 64)}" is not a column: ${Object.keys(table).join(', ')}`);
    if (names.includes(name)) refuse('sort', 'unique', `"${name.slice(0, 64)}" is named twice`);
    names.push(name);
    return `\`${name}\`${descending ? ' DESC' : ''}`;
  });
  // Rows that are equal otherwise must not move from page to page.
  if (!names.includes(ID)) parts.push(`\`${ID}\` DESC`);
  return parts.join(', ');
}

type Kind = ColumnTable[string]['kind'];

const RANGES: Readonly<Partial<Record<Kind, readonly [number, number]>>> = {
  uint64: [0, Number.MAX_SAFE_INTEGER],
  uint32: [0, 4_294_967_295],
  int32: [-2_147_483_648, 2_147_483_647],
};

function readValue(kind: Kind, text: string): SqlValue | undefined {
  if (kind === 'string') return text;
  if (kind === 'timestamp') return parseFilterTime(text);
  const number = /^ *-?\d{1,16} *$/.test(text) ? Number(text) : Number.NaN;
  const [low, high] = RANGES[kind] ?? [0, 0];
  return number >= low && number <= high ? number : undefined;
}

function describe(kind: Kind): string {
  if (kind === 'timestamp') return TIME_DESCRIPTION;
  const [low, high] = RANGES[kind] ?? [0, 0];
  return `must be an integer from ${low} to ${high}`;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
