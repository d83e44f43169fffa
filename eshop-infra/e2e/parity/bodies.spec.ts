import { call } from '../support/http.ts';
import { loadShop, type Method } from './contracts.ts';
import { rest, urlOf } from './send.ts';

const { contracts } = await loadShop();
const MIB = 2 ** 20;
const UNKNOWN = 9_007_199_254_740_990;

/** Routes with what their path needs: the record of nobody. */
const routes = contracts
  .filter(({ fullName }) => fullName !== 'api.eshop_gw.v1.management')
  .flatMap((contract) =>
    contract.methods.map((method) => {
      const inPath = method.request.fields.filter(({ name }) => method.http.pathFields.includes(name));
      const ids = Object.fromEntries(
        inPath.map(({ name, kind }) => [name, kind === 'string' ? '9'.repeat(26) : UNKNOWN]),
      );
      return {
        method,
        ids,
        verb: method.verb.toUpperCase(),
        url: urlOf(contract, method, ids),
        title: titleOf(contract.name, method),
      };
    }),
  );

function titleOf(name: string, { verb, route }: Method): string {
  return `${verb.toUpperCase()} ${route} of ${name}`;
}

const withBody = routes.filter(({ method }) => method.http.body).map((one) => [one.title, one] as const);
const withPath = routes
  .filter(({ method }) => method.http.pathFields.length > 0)
  .map((one) => [one.title, one] as const);

describe.each(withBody)('%s', (_, { method, verb, url }) => {
  it.each([
    ['what is not JSON', '{"id":', 400, 40001],
    ['nothing', '', 400, 40000],
    ['a list', '[]', 400, 40000],
    ['null', 'null', 400, 40000],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 400, 40001],
    ['more than a MiB', JSON.stringify({ note: 'x'.repeat(MIB) }), 413, 41300],
  ])('refuses %s', async (_what, body, status, code) => {
    // A branch asks who calls, once the body is read and before it is looked at.
    const wanted = method.branch && code === 40000 ? { status: 401, code: 40100 } : { status, code };
    expect(await call(verb, url, body)).toMatchObject({ ...wanted, data: {}, requestID: expect.any(String) });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])('refuses %s', async (type) => {
    const answer = await call(verb, url, '{}', { 'content-type': type });
    expect(answer).toMatchObject({ status: 415, code: 41500, data: {} });
  });
});

describe.each(withPath)('%s', (_, { method, ids, verb, url }) => {
  const [field = ''] = method.http.pathFields;
  const own = ids[field] as string | number;
  const other = typeof own === 'string' ? '8'.repeat(26) : own - 1;

  it('refuses a body or a query that contradicts the path', async () => {
    const needed = rest(method, { saleID: 1 });
    const body = method.http.body ? { ...needed, [field]: other } : undefined;
    const address = new URL(url);
    if (!method.http.body) address.searchParams.set(field, String(other));
    const answer = await call(verb, address.href, body);
    // A branch asks first who calls.
    if (method.branch) expect(answer.status).toBe(401);
    else {
      expect(answer).toMatchObject({ status: 400, code: 40000, data: {} });
      expect(answer.violations?.map((one) => `${one.field} ${one.rule}`)).toContain(`${field} path.contradiction`);
    }
  });

  it.each(
    typeof own === 'string'
      ? ['x', '9'.repeat(46), `${own}%20`, `%20${own}`, `${own}%00`]
      : ['0', '-1', 'abc', '1.5', '1e3', '9007199254740992', '%20'],
  )('refuses %s in the path', async (bad) => {
    const body = method.http.body ? {} : undefined;
    const answer = await call(verb, url.replace(String(own), bad), body);
    expect(answer).toMatchObject({ status: 400, code: 40000, data: {} });
    expect(answer.violations?.map((one) => one.field)).toContain(field);
  });
});
