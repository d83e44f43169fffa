import type { Fields, FieldTable, MessageTable, Rules } from './table.js';
import { parseTime, TIME_DESCRIPTION } from './time.js';
import type { Violation } from './violation.js';

type Check = (value: unknown, path: string, out: Violation[]) => void;
type Test = { readonly rule: string; readonly description: string; readonly passes: (value: unknown) => boolean };

// The expression that the HTML standard gives for <input type=email>, which buf.validate refers to.
const EMAIL =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

function codePoints(text: string): number {
  let n = 0;
  for (const _ of text) n++;
  return n;
}

function numberTests(kind: string, { gt, gte, lt, lte, in: list }: Rules): Test[] {
  const tests: Test[] = [];
  const add = (rule: string, description: string, passes: (value: number) => boolean) =>
    tests.push({ rule: `${kind}.${rule}`, description, passes: passes as Test['passes'] });
  if (gt !== undefined) add('gt', `must be greater than ${gt}`, (v) => v > gt);
  if (gte !== undefined) add('gte', `must be ${gte} or greater`, (v) => v >= gte);
  if (lt !== undefined) add('lt', `must be less than ${lt}`, (v) => v < lt);
  if (lte !== undefined) add('lte', `must be ${lte} or less`, (v) => v <= lte);
  if (list) add('in', `must be one of ${list.join(', ')}`, (v) => list.includes(v));
  return tests;
}

function stringTests({ minLen, maxLen, pattern, email, timestamp, in: list }: Rules): Test[] {
  const tests: Test[] = [];
  const add = (rule: string, description: string, passes: (value: string) => boolean) =>
    tests.push({ rule: `string.${rule}`, description, passes: passes as Test['passes'] });
  // A text has at most as many code points as UTF-16 units and at least half as many, so counting is seldom needed.
  if (minLen !== undefined) {
    add(
      'min_len',
      `must be at least ${minLen} characters`,
      (v) => v.length >= minLen && (v.length >= 2 * minLen || codePoints(v) >= minLen),
    );
  }
  if (maxLen !== undefined) {
    add(
      'max_len',
      `must be at most ${maxLen} characters`,
      (v) => v.length <= maxLen || (v.length <= 2 * maxLen && codePoints(v) <= maxLen),
    );
  }
  if (pattern !== undefined) {
    const expression = new RegExp(pattern, 'u');
    add('pattern', `must match ${pattern}`, (v) => expression.test(v));
  }
  if (email) add('email', 'must be an e-mail address', (v) => EMAIL.test(v));
  if (list) add('in', `must be one of ${list.join(', ')}`, (v) => list.includes(v));
  if (timestamp) {
    const passes = (v: unknown) => v === '' || parseTime(v as string) !== undefined;
    tests.push({ rule: 'timestamp', description: `${TIME_DESCRIPTION}, or empty`, passes });
  }
  return tests;
}

function repeatedTests({ minItems, maxItems }: Rules): Test[] {
  const tests: Test[] = [];
  const add = (rule: string, description: string, passes: (value: unknown[]) => boolean) =>
    tests.push({ rule: `repeated.${rule}`, description, passes: passes as Test['passes'] });
  if (minItems !== undefined) add('min_items', `must have at least ${minItems} items`, (v) => v.length >= minItems);
  if (maxItems !== undefined) add('max_items', `must have at most ${maxItems} items`, (v) => v.length <= maxItems);
  return tests;
}

function testsOf(field: FieldTable): Test[] {
  if (!field.rules) return [];
  if (field.repeated) return repeatedTests(field.rules);
  if (field.kind === 'string') return stringTests(field.rules);
  return field.kind === 'message' ? [] : numberTests(field.kind, field.rules);
}

function isZero(value: unknown): boolean {
  return value === 0 || value === '' || value === false || (Array.isArray(value) && value.length === 0);
}

/** The check of one field, or undefined where there is nothing to check. */
function compileField(field: FieldTable): Check | undefined {
  const tests = testsOf(field);
  const { required, ignoreZero } = field.rules ?? {};
  const message = field.message;
  if (tests.length === 0 && !required && !message) return undefined;
  const presence = field.optional === true || (field.kind === 'message' && !field.repeated);
  return (value, path, out) => {
    if (value === undefined || (required && !presence && isZero(value))) {
      if (required) out.push({ field: path, rule: 'required', description: 'is required' });
      return;
    }
    if (!(ignoreZero && isZero(value))) {
      for (const test of tests) {
        if (!test.passes(value)) out.push({ field: path, rule: test.rule, description: test.description });
      }
    }
    if (!message) return;
    const checkMessage = compiled(message());
    if (!field.repeated) checkMessage(value, `${path}.`, out);
    else for (const [i, item] of (value as unknown[]).entries()) checkMessage(item, `${path}[${i}].`, out);
  };
}

function compileMessage(table: MessageTable): Check {
  const checks: [name: string, check: Check][] = [];
  for (const field of table.fields) {
    const check = compileField(field);
    if (check) checks.push([field.name, check]);
  }
  return (value, prefix, out) => {
    for (const [name, check] of checks) check((value as Fields)[name], prefix + name, out);
  };
}

const compiledMessages = new WeakMap<MessageTable, Check>();

function compiled(table: MessageTable): Check {
  let check = compiledMessages.get(table);
  if (!check) {
    check = compileMessage(table);
    compiledMessages.set(table, check);
  }
  return check;
}

/**
 * Checks a decoded message against the rules of the contract.
 * @returns every broken rule; empty when the message is valid
 */
export function validate(table: MessageTable, value: object): Violation[] {
  const violations: Violation[] = [];
  compiled(table)(value, '', violations);
  return violations;
}

/** Whether a client may leave the field out of a request. */
export function mayBeAbsent(field: FieldTable): boolean {
  if (field.optional || (field.kind === 'message' && !field.repeated)) return !field.rules?.required;
  const zero = field.repeated ? [] : field.kind === 'string' ? '' : field.kind === 'bool' ? false : 0;
  const out: Violation[] = [];
  compileField(field)?.(zero, field.name, out);
  return out.length === 0;
}
