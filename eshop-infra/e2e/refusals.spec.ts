import { type Answer, call, expectOk } from './support/http.ts';
import { newProduct, newUserID, unitsOf } from './support/shop.ts';
import { gateway, service } from './support/system.ts';

const MiB = 1024 * 1024;

function expectRefusal(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.code).toBeGreaterThan(0);
  expect(answer.msg).not.toMatch(/select|insert|update|error:|at .*\.js/i);
  expect(answer.data).toEqual({});
  expect(answer.requestID).toBeTruthy();
  expect(answer.headers.get('x-request-id')).toBe(answer.requestID);
}

describe('a submit', () => {
  let good: Record<string, unknown>;
  const submitUrl = () => `${gateway()}/api/v1/order/submit`;

  beforeAll(async () => {
    good = { userID: newUserID(), productID: await newProduct(), productCount: 1, amount: 1, couponID: 0 };
  });

  afterAll(async () => {
    expect(await unitsOf(good.productID as number)).toBe(10);
  });

  it.each([
    ['userID', 0],
    ['userID', -1],
    ['userID', '1'],
    ['userID', 1.5],
    ['userID', true],
    ['userID', [1]],
    ['userID', 2 ** 53],
    ['productID', 0],
    ['productID', {}],
    ['productCount', 0],
    ['productCount', -1],
    ['productCount', 2 ** 32],
    ['amount', 0],
    ['amount', 'x'],
    ['couponID', -1],
    ['waitResult', 'yes'],
  ])('with %s %p is refused by that field', async (field, value) => {
    const answer = await call('POST', submitUrl(), { ...good, [field]: value });
    expectRefusal(answer, 400);
    expect(answer.violations?.map((violation) => violation.field)).toEqual([field]);
    expect(answer.violations?.[0]?.description).toBeTruthy();
  });

  it('without any field names every field that has a rule', async () => {
    const answer = await call('POST', submitUrl(), {});
    expectRefusal(answer, 400);
    expect(answer.violations?.map(({ field }) => field).sort()).toEqual([
      'amount',
      'productCount',
      'productID',
      'userID',
    ]);
  });

  it.each([
    ['not JSON', '{"userID":'],
    ['an empty body', ''],
    ['a list', '[]'],
    ['a number', '1'],
    ['null', 'null'],
    ['a string', '"x"'],
  ])('with %s is refused', async (_, body) => {
    expectRefusal(await call('POST', submitUrl(), body), 400);
  });

  it('over 1 MiB is refused', async () => {
    expectRefusal(await call('POST', submitUrl(), JSON.stringify({ ...good, note: 'x'.repeat(MiB) })), 413);
  });

  it('of another content type is refused', async () => {
    const answer = await call('POST', submitUrl(), 'userID=1', { 'content-type': 'application/x-www-form-urlencoded' });
    expectRefusal(answer, 415);
  });

  it('in bytes that are not UTF-8 is refused or taken, and is no fault of the server', async () => {
    const answer = await call('POST', submitUrl(), Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d));
    expectRefusal(answer, 400);
  });
});

describe('a route', () => {
  it('that does not exist is not found', async () => {
    expectRefusal(await call('GET', `${gateway()}/api/v1/nothing`), 404);
  });

  it('that exists for another method says so', async () => {
    const answer = await call('PATCH', `${gateway()}/api/v1/product`);
    expect([404, 405]).toContain(answer.status);
    expectRefusal(answer, answer.status);
  });

  it('keeps the request id of the caller', async () => {
    const answer = await call('GET', `${gateway()}/api/v1/nothing`, undefined, { 'x-request-id': 'my-id-1' });
    expect(answer.requestID).toBe('my-id-1');
  });
});

describe.each(['product', 'stock', 'coupon', 'pay', 'order', 'user'])('the %s service', (name) => {
  const url = (id: string | number) => `${service(name)}/api/v1/${name}/${id}`;
  const UNKNOWN = 9_007_199_254_740_991;

  it('answers 404 for unknown ids, whatever is to be done with them', async () => {
    expectRefusal(await call('GET', url(UNKNOWN)), 404);
    expectRefusal(await call('DELETE', url(UNKNOWN)), 404);
    expectRefusal(await call('PUT', url(UNKNOWN), { status: 2 }), 404);
  });

  it.each(['0', '-1', 'abc', '1.5', '9007199254740992', '%00', '1e3'])('refuses the id %s', async (id) => {
    expectRefusal(await call('GET', url(id)), 400);
    expectRefusal(await call('DELETE', url(id)), 400);
  });

  it('refuses a body or query that contradicts the path', async () => {
    expectRefusal(await call('PUT', url(7), { id: 8 }), 400);
    expectRefusal(await call('DELETE', `${url(7)}?id=8`), 400);
  });
});

describe('text', () => {
  it('of any language and plane comes back unchanged', async () => {
    const name = '𝒮𝓂𝒾𝓁𝑒 😀 漢字 العربية <&> \\ \' " \u0000 end'.replace('\u0000', '');
    const product = { name, price: 1, photo: '', description: `${name}\n` };
    const { id } = await expectOk(call<{ id: number }>('POST', `${gateway()}/api/v1/product`, product));
    const found = await expectOk(call('GET', `${gateway()}/api/v1/product/${id}`));
    expect(found).toMatchObject({ product: { name, description: `${name}\n` } });
  });

  it('that is too long is refused by its field', async () => {
    const product = { name: 'x'.repeat(256), price: 1, photo: '', description: '' };
    const answer = await call('POST', `${gateway()}/api/v1/product`, product);
    expectRefusal(answer, 400);
    expect(answer.violations).toMatchObject([{ field: 'name' }]);
  });
});

describe('a second stock of a product', () => {
  it('is a conflict', async () => {
    const productID = await newProduct();
    expectRefusal(await call('POST', `${gateway()}/api/v1/stock`, { productID, stock: 5 }), 409);
    expect(await unitsOf(productID)).toBe(10);
  });
});
