import {
  ContractError,
  type FieldTable,
  type HttpRequestParts,
  httpRequestParser,
  type MessageTable,
} from '@eshop/proto';

function message(name: string, fields: Omit<FieldTable, 'description'>[]): MessageTable {
  return {
    name,
    fullName: `x.${name}`,
    description: '',
    fields: fields.map((field) => ({ ...field, description: '' })),
  };
}

const item = message('Item', [{ name: 'name', kind: 'string', rules: { minLen: 1 } }]);
const all = message('All', [
  { name: 'id', kind: 'uint64', rules: { gt: 0 } },
  { name: 'u64', kind: 'uint64' },
  { name: 'i64', kind: 'int64' },
  { name: 'u32', kind: 'uint32' },
  { name: 'i32', kind: 'int32' },
  { name: 'flag', kind: 'bool' },
  { name: 'text', kind: 'string' },
  { name: 'maybe', kind: 'uint32', optional: true },
  { name: 'item', kind: 'message', message: () => item },
  { name: 'items', kind: 'message', repeated: true, message: () => item },
  { name: 'numbers', kind: 'uint32', repeated: true },
]);
const zero = {
  u64: 0,
  i64: 0,
  u32: 0,
  i32: 0,
  flag: false,
  text: '',
  maybe: undefined,
  item: undefined,
  items: [],
  numbers: [],
};

const post = httpRequestParser(all, { body: true, pathFields: [] });
const put = httpRequestParser(all, { body: true, pathFields: ['id'] });
const get = httpRequestParser(all, { body: false, pathFields: ['id'] });

function broken(parse: (request: HttpRequestParts) => unknown, request: HttpRequestParts): string[] {
  try {
    parse(request);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    expect(error.code).toBe('INVALID_PARAMETER');
    return error.violations.map(({ field, rule }) => `${field} ${rule}`);
  }
  return [];
}

describe('a JSON body', () => {
  it('gives a complete message; unknown members are left out and null is absent', () => {
    expect(post({ body: { id: 1, other: true, text: null, maybe: null, items: null } })).toEqual({ id: 1, ...zero });
  });

  it('gives presence to optional fields', () => {
    expect(post({ body: { id: 1, maybe: 0 } })).toEqual({ id: 1, ...zero, maybe: 0 });
  });

  it('gives messages and lists', () => {
    const body = { id: 1, item: { name: '😀' }, items: [{ name: 'b', more: 1 }], numbers: [1, 2] };
    expect(post({ body })).toEqual({ id: 1, ...zero, item: { name: '😀' }, items: [{ name: 'b' }], numbers: [1, 2] });
  });

  it('takes the greatest and the least numbers', () => {
    const body = { id: 2 ** 53 - 1, u64: 0, i64: -(2 ** 53 - 1), u32: 2 ** 32 - 1, i32: -(2 ** 31) };
    expect(post({ body })).toEqual({ ...zero, ...body });
  });

  it.each<[string, unknown]>([
    ['id', '1'],
    ['id', 1.5],
    ['id', -1],
    ['id', 2 ** 53],
    ['id', 1e300],
    ['id', [1]],
    ['i64', -(2 ** 53)],
    ['u32', 2 ** 32],
    ['u32', -1],
    ['i32', 2 ** 31],
    ['i32', true],
    ['flag', 'true'],
    ['flag', 1],
    ['text', 5],
    ['text', { a: 1 }],
    ['text', '\ud800'],
    ['maybe', '1'],
    ['item', []],
    ['item', 'x'],
    ['items', {}],
    ['numbers', 5],
  ])('with a %s of %j is refused by type alone', (field, value) => {
    expect(broken(post, { body: { id: 1, [field]: value } })).toEqual([`${field} type`]);
  });

  it('is refused with the path of every value that is wrong', () => {
    const body = { items: [null, { name: 'a' }, { name: 7 }, { name: '' }], numbers: [1, 'x'] };
    expect(broken(post, { body })).toEqual([
      'items[0] type',
      'items[2].name type',
      'numbers[1] type',
      'id uint64.gt',
      'items[3].name string.min_len',
    ]);
  });

  it.each([[undefined], [null], ['text'], [5], [[]]])('must be an object, not %j', (body) => {
    expect(broken(post, { body })).toEqual([' type']);
  });
});

describe('a path', () => {
  it('gives the field, with the body or without', () => {
    expect(put({ params: { id: '7' }, body: { text: 'a' } })).toEqual({ id: 7, ...zero, text: 'a' });
    expect(put({ params: { id: '7' }, body: { id: 7 } })).toEqual({ id: 7, ...zero });
    expect(get({ params: { id: '9007199254740991' }, query: {} })).toEqual({ id: 2 ** 53 - 1, ...zero });
  });

  it('must not be contradicted by body or query', () => {
    expect(broken(put, { params: { id: '7' }, body: { id: 8 } })).toEqual(['id path.contradiction']);
    expect(broken(put, { params: { id: '7' }, body: { id: 'x' } })).toContain('id type');
    expect(broken(get, { params: { id: '7' }, query: { id: '8' } })).toEqual(['id path.contradiction']);
    expect(broken(get, { params: { id: '7' }, query: { Id: '8' } })).toEqual([]);
  });

  it.each(['x', '1x', '', ' 1', '1.0', '1e3', '-1', '9007199254740992', '18446744073709551616', '0x10'])(
    'of %j is no id',
    (id) => {
      expect(broken(get, { params: { id } })).toEqual(['id type']);
    },
  );

  it('obeys the rules', () => {
    expect(broken(get, { params: { id: '0' } })).toEqual(['id uint64.gt']);
  });
});

describe('a query', () => {
  const params = { id: '1' };

  it('gives fields by name; empty numbers are absent', () => {
    const query = { u32: '5', i32: '-5', flag: 'true', text: 'a b', maybe: '0', u64: '', more: 'x' };
    expect(get({ params, query })).toEqual({ id: 1, ...zero, u32: 5, i32: -5, flag: true, text: 'a b', maybe: 0 });
  });

  it.each([
    ['u32', 'x'],
    ['u32', '4294967296'],
    ['i32', '1.5'],
    ['flag', 'yes'],
    ['text', ['a', 'b']],
    ['u32', ['1', '2']],
  ])('with a %s of %j is refused', (field, value) => {
    expect(broken(get, { params, query: { [field]: value } })).toEqual([`${field} type`]);
  });
});
