import { ContractError } from './contract-error.js';
import { type Fields, type FieldTable, type MessageTable, type ScalarKind, zeroOf } from './table.js';
import { validate } from './validate.js';
import type { Violation } from './violation.js';

/** The parts of an HTTP request that carry a message; Fastify's and Express's requests are such. */
export interface HttpRequestParts {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** Where the fields of a request message are in an HTTP request. */
export interface HttpBinding {
  /** The whole message is the JSON body; otherwise fields are in the query. */
  readonly body: boolean;
  /** Fields that are in the path. */
  readonly pathFields: readonly string[];
}

const INVALID = Symbol('invalid');

const DESCRIPTIONS: Readonly<Record<ScalarKind, string>> = {
  uint64: 'must be a whole number from 0 to 9007199254740991',
  int64: 'must be a whole number from -9007199254740991 to 9007199254740991',
  uint32: 'must be a whole number from 0 to 4294967295',
  int32: 'must be a whole number from -2147483648 to 2147483647',
  bool: 'must be true or false',
  string: 'must be a text of valid Unicode',
};

const IN_RANGE: Readonly<Record<Exclude<ScalarKind, 'bool' | 'string'>, (value: number) => boolean>> = {
  uint64: (v) => v >= 0 && Number.isSafeInteger(v),
  int64: (v) => Number.isSafeInteger(v),
  uint32: (v) => v >= 0 && v <= 0xffffffff && Number.isInteger(v),
  int32: (v) => v >= -0x80000000 && v <= 0x7fffffff && Number.isInteger(v),
};

/** A JSON value as a scalar of the kind given; an unpaired surrogate is no Unicode and could not be stored. */
function scalarOfJson(kind: ScalarKind, raw: unknown): unknown {
  if (kind === 'string') return typeof raw === 'string' && raw.isWellFormed() ? raw : INVALID;
  if (kind === 'bool') return typeof raw === 'boolean' ? raw : INVALID;
  return typeof raw === 'number' && IN_RANGE[kind](raw) ? raw : INVALID;
}

const DIGITS = /^-?\d{1,20}$/;

/** A text of the path or the query as a scalar of the kind given. */
function scalarOfText(kind: ScalarKind, raw: unknown): unknown {
  if (typeof raw !== 'string') return INVALID;
  if (kind === 'string') return raw.isWellFormed() ? raw : INVALID;
  if (kind === 'bool') return raw === 'true' ? true : raw === 'false' ? false : INVALID;
  if (!DIGITS.test(raw)) return INVALID;
  const value = Number(raw);
  return IN_RANGE[kind](value) ? value : INVALID;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongType(field: string, description: string): Violation {
  return { field, rule: 'type', description };
}

/** One value that is not repeated; a zero or empty one, and a violation, when it is of the wrong type. */
function jsonValue(field: FieldTable, raw: unknown, path: string, out: Violation[]): unknown {
  if (field.kind === 'message') {
    if (!isObject(raw)) out.push(wrongType(path, 'must be an object'));
    return parseJson((field.message as () => MessageTable)(), isObject(raw) ? raw : {}, `${path}.`, out);
  }
  const value = scalarOfJson(field.kind, raw);
  if (value !== INVALID) return value;
  out.push(wrongType(path, DESCRIPTIONS[field.kind]));
  return zeroOf(field);
}

function jsonField(field: FieldTable, raw: unknown, path: string, out: Violation[]): unknown {
  if (raw === undefined || raw === null) return zeroOf(field);
  if (!field.repeated) return jsonValue(field, raw, path, out);
  if (!Array.isArray(raw)) {
    out.push(wrongType(path, 'must be a list'));
    return [];
  }
  const list: unknown[] = [];
  for (const [i, item] of raw.entries()) {
    list.push(jsonValue(field, item, `${path}[${i}]`, out));
  }
  return list;
}

/**
 * A JSON object as a complete message: unknown members are left out, `null` counts as absent.
 * @param out receives a violation for every value of a wrong type
 */
export function parseJson(table: MessageTable, source: Fields, prefix: string, out: Violation[]): Fields {
  const message: Fields = {};
  for (const field of table.fields) {
    message[field.name] = jsonField(field, source[field.name], prefix + field.name, out);
  }
  return message;
}

function parseQuery(fields: readonly FieldTable[], query: Fields, message: Fields, out: Violation[]): void {
  for (const field of fields) {
    const raw = query[field.name];
    if (raw === undefined || raw === '' || field.kind === 'message') {
      message[field.name] = raw === '' && field.kind === 'string' ? '' : zeroOf(field);
      continue;
    }
    const value = field.repeated ? INVALID : scalarOfText(field.kind, raw);
    message[field.name] = value === INVALID ? zeroOf(field) : value;
    if (value === INVALID) out.push(wrongType(field.name, DESCRIPTIONS[field.kind]));
  }
}

/** The path decides; the same field elsewhere in the request must not say otherwise. */
function parsePath(field: FieldTable, raw: unknown, given: boolean, message: Fields, out: Violation[]): void {
  const kind = field.kind as ScalarKind;
  const value = scalarOfText(kind, raw);
  if (value === INVALID) {
    out.push(wrongType(field.name, DESCRIPTIONS[kind]));
    return;
  }
  if (given && message[field.name] !== value) {
    out.push({
      field: field.name,
      rule: 'path.contradiction',
      description: 'must be the same as in the path, or absent',
    });
  }
  message[field.name] = value;
}

function refuse(violations: readonly Violation[]): never {
  throw new ContractError('INVALID_PARAMETER', undefined, { violations });
}

/** Rules are told only of fields that could be read. */
function withRules(table: MessageTable, message: Fields, unreadable: readonly Violation[]): Violation[] {
  const isUnreadable = (path: string) =>
    unreadable.some(({ field }) => path.startsWith(field) && /^(?:$|[.[])/.test(path.slice(field.length)));
  return [...unreadable, ...validate(table, message).filter(({ field }) => !isUnreadable(field))];
}

/**
 * Makes the function that turns an HTTP request into a complete, valid message.
 * It throws ContractError INVALID_PARAMETER with every violation.
 */
export function httpRequestParser(table: MessageTable, binding: HttpBinding): (request: HttpRequestParts) => Fields {
  const pathFields = binding.pathFields.map((name) => {
    const field = table.fields.find((candidate) => candidate.name === name);
    if (!field || field.kind === 'message' || field.repeated)
      throw new Error(`${table.fullName}.${name} cannot be in a path`);
    return field;
  });
  return (request) => {
    const out: Violation[] = [];
    const source = binding.body ? request.body : (request.query ?? {});
    if (!isObject(source)) refuse([wrongType('', 'the request body must be a JSON object')]);
    let message: Fields;
    if (binding.body) {
      message = parseJson(table, source, '', out);
    } else {
      message = {};
      parseQuery(table.fields, source, message, out);
    }
    if (pathFields.length > 0) {
      const params = (request.params ?? {}) as Fields;
      for (const field of pathFields) {
        const elsewhere = source[field.name];
        parsePath(field, params[field.name], elsewhere !== undefined && elsewhere !== null, message, out);
      }
    }
    if (out.length > 0) refuse(withRules(table, message, out));
    const violations = validate(table, message);
    if (violations.length > 0) refuse(violations);
    return message;
  };
}
