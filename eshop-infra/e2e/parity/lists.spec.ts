import { call, expectOk } from '../support/http.ts';
import { newCoupon, newProduct, newUserID, submit } from '../support/shop.ts';
import { service } from '../support/system.ts';
import { type Column, type Contract, type Fields, loadShop, type Method } from './contracts.ts';
import { newSale } from './rows.ts';
import { GrpcCaller, overHttp } from './send.ts';

interface Condition {
  name: string;
  exp: string;
  value: string;
  logic: string;
}

const { contracts, columns, codes } = await loadShop();

/** The lists that take a filter: the message they list, and its columns. */
const lists = contracts.flatMap((contract) =>
  contract.methods
    .filter(({ request }) => request.fields.some(({ name }) => name === 'params'))
    .map((method) => {
      const field = method.reply.fields.find(({ repeated }) => repeated);
      const entity = field?.message?.().fullName.split('.').at(-1) ?? '';
      return { contract, method, entity, list: field?.name ?? '', table: columns.get(entity) ?? {} };
    }),
);

const text = () => crypto.randomUUID().replaceAll('-', '');

async function create(name: string, values: Fields): Promise<number> {
  return (await expectOk(call<{ id: number }>('POST', `${service(name)}/api/v1/${name}`, values))).id;
}

/** Three records of each entity that differ in as much as they can; the filter that finds them and no other. */
const seeds: Record<string, () => Promise<Condition>> = {
  User: async () => {
    const name = text();
    for (const i of [1, 2, 3]) {
      const email = `${text().slice(0, 20)}@example.com`;
      const more = { avatar: text(), age: 20 + i, gender: i - 1, status: i - 1, loginAt: 10 ** i, loginType: i };
      await create('user', { name, password: 'correct horse', email, phone: `+49${i}`, ...more });
    }
    return { name: 'name', exp: '=', value: name, logic: '' };
  },
  Product: async () => {
    const name = text();
    for (const i of [1, 2, 3]) await create('product', { name, price: 10 ** i, photo: text(), description: text() });
    return { name: 'name', exp: '=', value: name, logic: '' };
  },
  Stock: async () => {
    const productIDs = [1, 2, 3].map(() => newUserID());
    for (const [i, productID] of productIDs.entries()) await create('stock', { productID, stock: 10 ** i });
    return { name: 'product_id', exp: 'in', value: productIDs.join(), logic: '' };
  },
  Coupon: async () => {
    const userID = newUserID();
    for (const i of [1, 2, 3]) await create('coupon', { userID, amount: 10 ** i, status: i % 2 ? 1 : 3 });
    return { name: 'user_id', exp: '=', value: String(userID), logic: '' };
  },
  Order: seedOrders,
  Pay: seedOrders,
  FlashSale: async () => {
    const closesAt = ['', '2098-12-31T23:59:59.999Z', '2099-12-31T23:59:59.999Z'];
    const productIDs: number[] = [];
    for (const [i, at] of closesAt.entries()) {
      productIDs.push(
        await newSale(i + 1, { limitPerUser: i, closesAt: at, opensAt: `2026-01-0${i + 1}T00:00:00.000Z` }),
      );
    }
    return { name: 'product_id', exp: 'in', value: productIDs.join(), logic: '' };
  },
};

async function seedOrders(): Promise<Condition> {
  const userID = newUserID();
  for (const productCount of [1, 2, 3]) {
    const productID = await newProduct();
    const couponID = productCount === 2 ? await newCoupon(userID, 7) : 0;
    const amount = 500;
    const order = await expectOk(submit({ userID, productID, productCount, couponID, amount, waitResult: true }));
    expect(order).toMatchObject({ state: 'placed' });
  }
  return { name: 'user_id', exp: '=', value: String(userID), logic: '' };
}

type Test = (left: string | number, right: string | number) => boolean;

const EQUAL: Test = (left, right) => left === right;
const OPERATORS: Record<string, Test> = {
  '': EQUAL,
  '=': EQUAL,
  eq: EQUAL,
  EQ: EQUAL,
  '!=': (left, right) => left !== right,
  neq: (left, right) => left !== right,
  '>': (left, right) => left > right,
  gt: (left, right) => left > right,
  '>=': (left, right) => left >= right,
  gte: (left, right) => left >= right,
  '<': (left, right) => left < right,
  lt: (left, right) => left < right,
  '<=': (left, right) => left <= right,
  lte: (left, right) => left <= right,
};

/** What a row has in a column, as the database compares it; undefined for a time that is not set. */
function comparable(row: Fields, { field, kind }: Column): string | number | undefined {
  const value = row[field] as string | number;
  if (kind === 'timestamp') return value === '' ? undefined : value;
  return typeof value === 'string' ? value.toLowerCase() : value;
}

let grpc: GrpcCaller;
beforeAll(async () => {
  grpc = await GrpcCaller.create();
});
afterAll(() => grpc.close());

it('has records for every list', () => {
  expect(lists.map(({ entity }) => entity).sort()).toEqual(Object.keys(seeds).sort());
});

describe.each(lists.map((one) => [one.method.rpc, one.contract.name, one] as const))('%s of %s', (_, __, list) => {
  const { contract, method, table } = list;
  let mine: Condition;
  let rows: Fields[];
  beforeAll(async () => {
    mine = await (seeds[list.entity] as () => Promise<Condition>)();
    rows = await ask([]);
    expect(rows).toHaveLength(3);
  });

  /** The seeded rows that a filter finds, over HTTP and, the same, over gRPC. */
  async function ask(conditions: Condition[], sort = 'id'): Promise<Fields[]> {
    const own = conditions.length > 0 ? [{ ...mine, logic: 'and' }, ...conditions] : [mine];
    const request = { params: { page: 0, limit: 100, sort, columns: own } };
    const { [list.list]: found, total } = await answerOf(contract, method, request);
    expect(total).toBe((found as Fields[]).length);
    return found as Fields[];
  }

  async function answerOf(of: Contract, by: Method, request: Fields): Promise<Fields> {
    const overWeb = await overHttp(codes, of, by, request);
    const overGrpc = await grpc.send(of, by, request);
    expect(overWeb).toMatchObject({ code: 'OK' });
    expect(overGrpc).toMatchObject({ code: 'OK' });
    expect(JSON.parse(JSON.stringify(overGrpc.data))).toEqual(overWeb.data);
    return overWeb.data;
  }

  const idsOf = (found: Fields[]) => found.map(({ id }) => id);

  /** A value of the column that one row has, else one that none has. */
  function sample(column: Column): string | number {
    const values = rows.map((row) => comparable(row, column)).filter((value) => value !== undefined);
    return values[1] ?? values[0] ?? '2026-01-01T00:00:00.000Z';
  }

  describe.each(Object.entries(table))('by %s', (name, column) => {
    it.each(Object.keys(OPERATORS))('knows the operator "%s"', async (exp) => {
      const value = sample(column);
      const test = OPERATORS[exp] as Test;
      const expected = rows.filter((row) => {
        const own = comparable(row, column);
        return own !== undefined && test(own, value);
      });
      const found = await ask([{ name, exp, value: String(value), logic: '' }]);
      expect(idsOf(found)).toEqual(idsOf(expected));
    });

    it('knows "in" and "like"', async () => {
      const values = rows.map((row) => comparable(row, column)).filter((value) => value !== undefined);
      const [first, last] = [values[0] ?? sample(column), values.at(-1) ?? sample(column)];
      const among = rows.filter((row) => [first, last].includes(comparable(row, column) as string | number));
      expect(idsOf(await ask([{ name, exp: 'in', value: `${first},${last}`, logic: '' }]))).toEqual(idsOf(among));
      // Times are kept as text of another form; their dates are the same.
      const part = column.kind === 'timestamp' ? String(first).slice(0, 10) : String(first).slice(0, 3);
      const alike = rows.filter(
        (row) => String(comparable(row, column) ?? '').includes(part) && comparable(row, column) !== undefined,
      );
      expect(idsOf(await ask([{ name, exp: 'like', value: part, logic: '' }]))).toEqual(idsOf(alike));
    });

    it('sorts by it in both directions, newest first among equals', async () => {
      const key = (row: Fields) => comparable(row, column) ?? '';
      const newest = (a: Fields, b: Fields) => (b.id as number) - (a.id as number);
      const upwards = (a: Fields, b: Fields) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
      const ties = name === 'id' ? () => 0 : newest;
      const rising = rows.toSorted((a, b) => upwards(a, b) || ties(a, b));
      const falling = rows.toSorted((a, b) => upwards(b, a) || ties(a, b));
      expect(idsOf(await ask([], name))).toEqual(idsOf(rising));
      expect(idsOf(await ask([], `-${name}`))).toEqual(idsOf(falling));
    });
  });

  it.each(['or', 'OR', '|', '||'])('joins by "%s"', async (logic) => {
    const [first, , third] = idsOf(rows);
    const columns = [
      { name: 'id', exp: '=', value: String(first), logic },
      { name: 'id', exp: '>=', value: String(third), logic: 'and' },
      { ...mine, logic: '' },
    ];
    const { [list.list]: found } = await answerOf(contract, method, {
      params: { page: 0, limit: 9, sort: 'id', columns },
    });
    expect(idsOf(found as Fields[])).toEqual([first, third]);
  });

  it.each(['and', '', '&', '&&'])('joins by "%s"', async (logic) => {
    const [, second] = idsOf(rows);
    const found = await ask([
      { name: 'id', exp: '>=', value: String(second), logic },
      { name: 'id', exp: '<=', value: String(second), logic: '' },
    ]);
    expect(idsOf(found)).toEqual([second]);
  });

  it('pages, counts, and leaves counting out when asked to', async () => {
    const page = (number: number, sort = '') =>
      answerOf(contract, method, { params: { page: number, limit: 2, sort, columns: [mine] } });
    const newestFirst = idsOf(rows).reverse();
    const [first, second, third] = [await page(0), await page(1), await page(2)];
    expect([...idsOf(first[list.list] as Fields[]), ...idsOf(second[list.list] as Fields[])]).toEqual(newestFirst);
    expect([first.total, second.total, third.total, third[list.list]]).toEqual([3, 3, 3, []]);
    expect(await page(0, 'ignore count')).toMatchObject({ total: 0, [list.list]: [{ id: newestFirst[0] }, {}] });
  });

  it.each([
    ['an unknown column', { name: 'password' }, 'name'],
    ['SQL for a column', { name: '1=1 or id' }, 'name'],
    ['an unknown operator', { exp: 'regexp' }, 'exp'],
    ['an unknown logic', { logic: 'xor' }, 'logic'],
    ['a text for a number', { value: 'one' }, 'value'],
  ])('refuses %s by its place, the same on both', async (_what, change, place) => {
    const columns = [{ name: 'id', exp: '=', value: '1', logic: 'and', ...change }, mine];
    const request = { params: { page: 0, limit: 1, sort: '', columns } };
    const overWeb = await overHttp(codes, contract, method, request);
    const overGrpc = await grpc.send(contract, method, request);
    expect(overWeb).toMatchObject({ code: 'INVALID_PARAMETER', status: 400 });
    expect(overWeb.violations.map(({ field }) => field)).toEqual([`params.columns[0].${place}`]);
    expect({ ...overGrpc, status: 400 }).toEqual(overWeb);
  });
});
