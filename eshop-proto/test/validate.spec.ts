import { type FieldTable, type MessageTable, type Rules, validate } from '@eshop/proto';

function table(field: Partial<FieldTable>): MessageTable {
  return {
    name: 'M',
    fullName: 'x.M',
    description: '',
    fields: [{ name: 'f', kind: 'string', description: '', ...field }],
  };
}

function rulesBroken(field: Partial<FieldTable>, value: unknown): string[] {
  return validate(table(field), { f: value }).map((violation) => `${violation.field} ${violation.rule}`);
}

const ok: string[] = [];
const long = '😀'.repeat(4);

describe('validate', () => {
  it.each<[FieldTable['kind'], Rules, unknown, string[]]>([
    ['uint64', { gt: 0 }, 1, ok],
    ['uint64', { gt: 0 }, 0, ['f uint64.gt']],
    ['int64', { gte: -1 }, -1, ok],
    ['int64', { gte: -1 }, -2, ['f int64.gte']],
    ['uint32', { lt: 5 }, 4, ok],
    ['uint32', { lt: 5 }, 5, ['f uint32.lt']],
    ['int32', { gte: 0, lte: 1000 }, 1000, ok],
    ['int32', { gte: 0, lte: 1000 }, 1001, ['f int32.lte']],
    ['uint32', { in: [0, 1, 3] }, 3, ok],
    ['uint32', { in: [0, 1, 3] }, 2, ['f uint32.in']],
    ['string', { in: ['a'] }, 'b', ['f string.in']],
    ['string', { minLen: 4 }, long, ok],
    ['string', { minLen: 5 }, long, ['f string.min_len']],
    ['string', { maxLen: 4 }, long, ok],
    ['string', { maxLen: 3 }, long, ['f string.max_len']],
    ['string', { minLen: 1, maxLen: 2 }, '', ['f string.min_len']],
    ['string', { pattern: '^a+$' }, 'aa', ok],
    ['string', { pattern: '^a+$' }, 'ab', ['f string.pattern']],
    ['string', { email: true }, 'ann@example.com', ok],
    ['string', { email: true }, 'ann@', ['f string.email']],
    ['string', { email: true, ignoreZero: true }, '', ok],
    ['string', { email: true, maxLen: 3 }, 'nobody', ['f string.max_len', 'f string.email']],
    ['string', { timestamp: true }, '', ok],
    ['string', { timestamp: true }, '2026-01-02T03:04:05Z', ok],
    ['string', { timestamp: true }, '2026-01-02', ['f timestamp']],
    ['string', { required: true }, '', ['f required']],
    ['bool', { required: true }, true, ok],
  ])('%s with %j and %j gives %j', (kind, rules, value, expected) => {
    expect(rulesBroken({ kind, rules }, value)).toEqual(expected);
  });

  it('leaves out the rules of an absent optional field, and none of a present one', () => {
    const field: Partial<FieldTable> = { kind: 'uint32', optional: true, rules: { gt: 0 } };
    expect(rulesBroken(field, undefined)).toEqual([]);
    expect(rulesBroken(field, 0)).toEqual(['f uint32.gt']);
    expect(rulesBroken({ ...field, rules: { required: true } }, undefined)).toEqual(['f required']);
    expect(rulesBroken({ ...field, rules: { required: true } }, 0)).toEqual([]);
  });

  it('counts the items of a list', () => {
    const field: Partial<FieldTable> = { kind: 'uint64', repeated: true, rules: { minItems: 1, maxItems: 2 } };
    expect(rulesBroken(field, [])).toEqual(['f repeated.min_items']);
    expect(rulesBroken(field, [1, 2])).toEqual([]);
    expect(rulesBroken(field, [1, 2, 3])).toEqual(['f repeated.max_items']);
  });

  it('looks into messages and names the path', () => {
    const inner = table({ rules: { minLen: 1 } });
    expect(rulesBroken({ kind: 'message', message: () => inner }, undefined)).toEqual([]);
    expect(rulesBroken({ kind: 'message', message: () => inner, rules: { required: true } }, undefined)).toEqual([
      'f required',
    ]);
    expect(rulesBroken({ kind: 'message', message: () => inner }, { f: '' })).toEqual(['f.f string.min_len']);
    expect(rulesBroken({ kind: 'message', repeated: true, message: () => inner }, [{ f: 'a' }, { f: '' }])).toEqual([
      'f[1].f string.min_len',
    ]);
  });
});
