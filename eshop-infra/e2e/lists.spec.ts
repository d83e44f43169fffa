import { call, expectOk } from './support/http.ts';
import { newCoupon, newProduct, newUserID, submit } from './support/shop.ts';
import { gateway, service } from './support/system.ts';

interface Filter {
  name: string;
  exp?: string;
  value: string | number;
  logic?: string;
}

type Row = Record<string, unknown>;

const PLURAL: Record<string, string> = {
  product: 'products',
  stock: 'stocks',
  coupon: 'coupons',
  pay: 'pays',
  order: 'orders',
};

async function list(name: string, filters: Filter[], page: { page?: number; limit?: number; sort?: string } = {}) {
  const columns = filters.map(({ value, exp = '', logic = '', ...rest }) => ({
    ...rest,
    exp,
    logic,
    value: String(value),
  }));
  const params = { page: 0, limit: 100, sort: '', ...page, columns };
  const data = await expectOk(call<Row>('POST', `${service(name)}/api/v1/${name}/list`, { params }));
  return { total: data.total as number, rows: data[PLURAL[name] ?? ''] as Row[] };
}

/** Rows of each table that only these tests have made; `key` is the column that finds them. */
async function seed() {
  const userID = newUserID();
  const productID = await newProduct({ price: 777, stock: 30 });
  const coupons: number[] = [];
  for (const amount of [10, 20, 30]) coupons.push(await newCoupon(userID, amount));
  const orderIDs: string[] = [];
  for (const productCount of [1, 2, 3]) {
    const { orderID } = await expectOk(submit({ userID, productID, productCount, waitResult: true }));
    orderIDs.push(orderID);
  }
  return { userID, productID, coupons, orderIDs };
}

describe('the list of', () => {
  let seeded: Awaited<ReturnType<typeof seed>>;
  beforeAll(async () => {
    seeded = await seed();
  });

  it('orders filters, sorts and pages', async () => {
    const { userID, orderIDs, productID } = seeded;
    const mine = { name: 'user_id', exp: '=', value: userID };
    const newestFirst = await list('order', [mine]);
    expect(newestFirst.total).toBe(3);
    expect(newestFirst.rows.map(({ orderID }) => orderID)).toEqual([...orderIDs].reverse());
    const bySize = await list('order', [mine], { sort: 'product_count' });
    expect(bySize.rows.map(({ productCount }) => productCount)).toEqual([1, 2, 3]);
    const second = await list('order', [mine], { sort: '-product_count', limit: 1, page: 1 });
    expect(second).toMatchObject({ total: 3, rows: [{ productCount: 2 }] });
    const large = await list('order', [mine, { name: 'product_count', exp: '>=', value: 2 }]);
    expect(large.total).toBe(2);
    expect((await list('order', [{ name: 'product_id', exp: 'eq', value: productID }])).total).toBe(3);
    expect((await list('order', [{ name: 'order_id', exp: 'in', value: orderIDs.slice(0, 2).join(',') }])).total).toBe(
      2,
    );
  });

  it.each([
    ['=', '20', [20]],
    ['eq', '20', [20]],
    ['', '20', [20]],
    ['!=', '20', [10, 30]],
    ['neq', '20', [10, 30]],
    ['>', '20', [30]],
    ['gt', '20', [30]],
    ['>=', '20', [20, 30]],
    ['gte', '20', [20, 30]],
    ['<', '20', [10]],
    ['lt', '20', [10]],
    ['<=', '20', [10, 20]],
    ['lte', '20', [10, 20]],
    ['in', '10,30', [10, 30]],
    ['LIKE', '0', [10, 20, 30]],
  ])('coupons knows the operator "%s"', async (exp, value, amounts) => {
    const filters = [
      { name: 'user_id', exp: '=', value: seeded.userID, logic: 'and' },
      { name: 'amount', exp, value },
    ];
    const { rows } = await list('coupon', filters, { sort: 'amount' });
    expect(rows.map(({ amount }) => amount)).toEqual(amounts);
  });

  it('coupons joins by or', async () => {
    const [first, , third] = seeded.coupons;
    const { rows } = await list('coupon', [
      { name: 'id', exp: '=', value: first ?? 0, logic: '||' },
      { name: 'id', exp: '=', value: third ?? 0 },
    ]);
    expect(rows).toHaveLength(2);
  });

  it('payments, stocks and products filters', async () => {
    const { userID, productID, orderIDs } = seeded;
    expect(await list('pay', [{ name: 'user_id', value: userID }], { sort: 'amount' })).toMatchObject({
      total: 3,
      rows: [{ amount: 777 }, { amount: 1554 }, { amount: 2331 }],
    });
    expect(await list('pay', [{ name: 'order_id', value: orderIDs[0] ?? '' }])).toMatchObject({ total: 1 });
    expect(await list('stock', [{ name: 'product_id', value: productID }])).toMatchObject({
      total: 1,
      rows: [{ stock: 24 }],
    });
    expect(await list('product', [{ name: 'id', value: productID }])).toMatchObject({
      total: 1,
      rows: [{ price: 777 }],
    });
  });

  it.each(Object.keys(PLURAL))('%s refuses unknown columns, operators and sort orders, by name', async (name) => {
    const url = `${service(name)}/api/v1/${name}/list`;
    const params = (more: object) => ({ params: { page: 0, limit: 10, sort: '', columns: [], ...more } });
    const column = { name: 'id', exp: '=', value: '1', logic: '' };
    for (const bad of [
      { sort: '1=1' },
      { sort: 'id,(select sleep(1))' },
      { columns: [{ ...column, name: '1=1 or id' }] },
      { columns: [{ ...column, exp: 'between' }] },
      { columns: [{ ...column, logic: 'xor' }, column] },
      { columns: [{ ...column, name: '' }] },
      { limit: 1001 },
      { page: -1 },
    ]) {
      const answer = await call('POST', url, params(bad));
      expect({ bad, status: answer.status, named: answer.violations?.length }).toEqual({ bad, status: 400, named: 1 });
    }
  });

  it.each(Object.keys(PLURAL))('%s is empty, not null, when nothing matches', async (name) => {
    expect(await list(name, [{ name: 'id', exp: '<', value: 0 }])).toEqual({ total: 0, rows: [] });
  });

  it.each(['user', 'product', 'order', 'coupon', 'stock'])('%s at the gateway pages by the query', async (name) => {
    const data = await expectOk(call<Row>('GET', `${gateway()}/api/v1/${name}/list?page=0&limit=1`));
    expect(Object.keys(data).sort()).toEqual([`${name}s`, 'total'].sort());
    expect((data[`${name}s`] as Row[]).length).toBeLessThanOrEqual(1);
    for (const query of ['', '?limit=0', '?limit=-1', '?limit=ten', '?limit=1001', '?page=-1&limit=1']) {
      const answer = await call('GET', `${gateway()}/api/v1/${name}/list${query}`);
      expect({ query, status: answer.status }).toEqual({ query, status: 400 });
      expect(answer.violations).toHaveLength(1);
    }
  });
});
