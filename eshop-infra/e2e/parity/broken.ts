import { complete, exampleOf, type Fields, type FieldTable, type MessageTable } from './contracts.ts';

/** One way to break one rule of a request. */
export interface Broken {
  /** As a violation names it: `params.columns[0].name`. */
  field: string;
  rule: string;
  /** The request with only that rule broken, as far as the value alone can do that. */
  apply(request: Fields): Fields;
}

type Path = (string | number)[];

const UNSIGNED = ['uint32', 'uint64'];

/** Values that break the rules of a single field, by rule. */
function badValues({ kind, rules = {}, repeated, message }: FieldTable): [rule: string, value: unknown][] {
  const bad: [string, unknown][] = [];
  if (repeated) {
    const items = (count: number) => Array.from({ length: count }, () => (message ? exampleOf(message()) : 'x'));
    if (rules.minItems) bad.push(['repeated.min_items', items(rules.minItems - 1)]);
    if (rules.maxItems !== undefined) bad.push(['repeated.max_items', items(rules.maxItems + 1)]);
    return bad;
  }
  if (kind === 'message') return rules.required ? [['required', undefined]] : [];
  if (kind === 'string') {
    if (rules.minLen) bad.push(['string.min_len', 'x'.repeat(rules.minLen - 1)]);
    if (rules.maxLen !== undefined) bad.push(['string.max_len', '🫖'.repeat(rules.maxLen + 1)]);
    if (rules.email) bad.push(['string.email', 'nobody']);
    if (rules.in) bad.push(['string.in', 'none of them']);
    if (rules.pattern !== undefined) bad.push(['string.pattern', '\u0000']);
    if (rules.timestamp) bad.push(['timestamp', '9999-12-31T23:59:59-12:00'], ['timestamp', '2026-02-30T00:00:00Z']);
    return bad;
  }
  if (rules.gt !== undefined) bad.push([`${kind}.gt`, rules.gt]);
  if (rules.gte !== undefined) bad.push([`${kind}.gte`, rules.gte - 1]);
  if (rules.lt !== undefined) bad.push([`${kind}.lt`, rules.lt]);
  if (rules.lte !== undefined) bad.push([`${kind}.lte`, rules.lte + 1]);
  if (rules.in) bad.push([`${kind}.in`, Math.max(...(rules.in as number[])) + 1]);
  return bad.filter(([, value]) => !UNSIGNED.includes(kind) || (value as number) >= 0);
}

/** Values of another type, which only JSON can carry. */
function otherTypes({ kind, repeated }: FieldTable): unknown[] {
  if (repeated || kind === 'message') return ['x'];
  if (kind === 'string') return [7, ['x']];
  if (kind === 'bool') return ['yes', 1];
  return ['1', 1.5, true, kind.endsWith('64') ? 2 ** 53 : 2 ** 32];
}

const fieldName = (path: Path) =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i > 0 ? `.${part}` : part)).join('');

/** A copy of the message with another value; messages on the way that are not there are made of their examples. */
function withValue(table: MessageTable, message: Fields, [name, ...rest]: Path, value: unknown): Fields {
  const field = table.fields.find((one) => one.name === name) as FieldTable;
  if (rest.length === 0) return { ...message, [field.name]: value };
  const inner = (field.message as () => MessageTable)();
  if (!field.repeated) {
    const present = (message[field.name] as Fields | undefined) ?? exampleOf(inner);
    return { ...message, [field.name]: withValue(inner, present, rest, value) };
  }
  return { ...message, [field.name]: [withValue(inner, exampleOf(inner), rest.slice(1), value)] };
}

function collect(
  table: MessageTable,
  values: (field: FieldTable) => [rule: string, value: unknown][],
  path: Path,
  whole: MessageTable,
): Broken[] {
  return table.fields.flatMap((field) => {
    const here = [...path, field.name];
    const own = values(field).map(([rule, value]) => ({
      field: fieldName(here),
      rule,
      apply: (request: Fields) => withValue(whole, complete(whole, request), here, value),
    }));
    if (!field.message) return own;
    return [...own, ...collect(field.message(), values, field.repeated ? [...here, 0] : here, whole)];
  });
}

/** Each rule of a request, broken. */
export function brokenRules(table: MessageTable): Broken[] {
  return collect(table, badValues, [], table);
}

/** Each field of a JSON body with values of other types. */
export function wrongTypes(table: MessageTable): Broken[] {
  return collect(table, (field) => otherTypes(field).map((value) => ['type', value]), [], table);
}
