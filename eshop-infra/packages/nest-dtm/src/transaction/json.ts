import { DtmInvalidOption } from '../errors.js';

/**
 * A value as JSON. What JSON would drop, change or choke on is an error here, since nobody would notice it where the text is read. A
 * property whose value is undefined is left out, as JSON does.
 *
 * @throws {TypeError} names the first such value
 */
export function toJson(value: unknown): string {
  assertJson(value);
  return JSON.stringify(value);
}

/** Throws a `TypeError` that names the first value JSON cannot carry. */
export function assertJson(value: unknown): void {
  visit(value, '', []);
}

/**
 * The value, when JSON can carry it. `undefined` is carried by leaving it out.
 *
 * @throws {DtmInvalidOption}
 */
export function checkedJson<T>(value: T, field: string, gid?: string): T {
  try {
    if (value !== undefined) assertJson(value);
    return value;
  } catch (cause) {
    throw new DtmInvalidOption(field, cause instanceof Error ? cause.message : String(cause), { gid, cause });
  }
}

function visit(given: unknown, path: string, ancestors: readonly object[]): void {
  const value = carried(given, path);
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw unfit(path, `is ${value}`);
      return;
    case 'object':
      if (value !== null) visitObject(value, path, ancestors);
      return;
    default:
      throw unfit(path, typeof value === 'undefined' ? 'is undefined' : `is a ${typeof value}`);
  }
}

/** What JSON takes instead of a value that says so itself. */
function carried(value: unknown, path: string): unknown {
  if (value instanceof Date && Number.isNaN(value.getTime())) throw unfit(path, 'is an invalid date');
  // A bigint has `toJSON` where an application has given it one.
  if ((typeof value !== 'object' && typeof value !== 'bigint') || value === null) return value;
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === 'function' ? toJSON.call(value, path.slice(path.lastIndexOf('.') + 1)) : value;
}

function visitObject(value: object, path: string, ancestors: readonly object[]): void {
  if (ancestors.includes(value)) throw unfit(path, 'holds itself');
  const within = [...ancestors, value];
  const at = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`);
  if (Array.isArray(value)) {
    if (Object.keys(value).length !== value.length) throw unfit(path, 'is an array with holes or names');
    for (const [index, item] of value.entries()) visit(item, at(index), within);
    return;
  }
  // Of a Map, a Set, an Error, bytes and the like JSON keeps nothing, or something else.
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== 'Object') throw unfit(path, `is of the kind ${kind}`);
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) throw unfit(at(String(symbol)), 'has no name');
  }
  for (const [key, item] of Object.entries(value)) if (item !== undefined) visit(item, at(key), within);
}

function unfit(path: string, problem: string): TypeError {
  return new TypeError(`${path === '' ? 'it' : `"${path}"`} ${problem}, which JSON cannot carry`);
}
