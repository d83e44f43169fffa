import type { MethodContract } from '@eshop/proto';
import { eshopContract } from '@eshop/proto/gateway';
import { managementContract } from '@eshop/proto/management';
import { type Started, startGateway } from './service.js';

interface Schema {
  $ref?: string;
  example?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  allOf?: Schema[];
}
interface Content {
  content: { 'application/json': { schema: Schema; examples?: Record<string, { value: unknown }> } };
}
interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  parameters: { name: string; in: string; schema: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** The routes that a client of version 1 relies on. */
const ROUTES = [
  'POST /api/v1/user',
  'GET /api/v1/user/list',
  'POST /api/v1/product',
  'GET /api/v1/product/list',
  'GET /api/v1/product/{id}',
  'POST /api/v1/order/submit',
  'POST /api/v1/order/sendSubmitNotify',
  'GET /api/v1/order/list',
  'GET /api/v1/order/{orderID}',
  'GET /api/v1/pay/{orderID}',
  'POST /api/v1/coupon',
  'GET /api/v1/coupon/list',
  'POST /api/v1/stock',
  'GET /api/v1/stock/list',
  'POST /api/v1/stock/setFlashSale',
  'POST /api/v1/flashSale',
];

const nameOf = ({ verb, route }: MethodContract) => `${verb.toUpperCase()} ${route}`;

describe.each([
  ['', false, eshopContract.methods],
  [', with management', true, [...eshopContract.methods, ...managementContract.methods]],
] as const)('/apis/swagger.json of the gateway%s', (_, management, methods) => {
  let gateway: Started;
  let document: Document;
  beforeAll(async () => {
    gateway = await startGateway({ management });
    document = (await (await fetch(`${gateway.service.http}/apis/swagger.json`)).json()) as Document;
  });
  afterAll(() => gateway.service.close());

  function resolve(schema: Schema): Schema {
    const [whole] = schema.allOf ?? [];
    if (whole) return resolve(whole);
    if (!schema.$ref) return schema;
    const named = document.components.schemas[schema.$ref.replace('#/components/schemas/', '')];
    if (!named) throw new Error(`${schema.$ref} is not in the document`);
    return named;
  }

  /** Names of the values, at whatever depth, that have no example. */
  function withoutExample(schema: Schema, path = ''): string[] {
    const { properties, items, example } = resolve(schema);
    if (items) return withoutExample(items, `${path}[]`);
    if (!properties) return example === undefined ? [path] : [];
    return Object.entries(properties).flatMap(([name, property]) => withoutExample(property, `${path}.${name}`));
  }

  function operationOf({ verb, route }: MethodContract): Operation {
    const operation = document.paths[route]?.[verb];
    if (!operation) throw new Error(`${verb} ${route} is not in the document`);
    return operation;
  }

  it('names the routes of the contract and no other', () => {
    const named = Object.entries(document.paths).flatMap(([route, operations]) =>
      Object.keys(operations).map((verb) => `${verb.toUpperCase()} ${route}`),
    );
    expect(named.sort()).toEqual(methods.map(nameOf).sort());
    expect(named).toEqual(expect.arrayContaining(ROUTES));
  });

  describe.each(methods.map((method) => [nameOf(method), method] as const))('%s', (_, method) => {
    it('is described', () => {
      const operation = operationOf(method);
      expect(operation).toMatchObject({ operationId: method.operationId, summary: method.summary, tags: [method.tag] });
      expect(operation.description).toBeTruthy();
    });

    it('has an example of every value that goes in', () => {
      const { parameters, requestBody } = operationOf(method);
      const fields = parameters.filter((parameter) => parameter.in !== 'header');
      for (const { name, schema } of fields) expect(withoutExample(schema, name)).toEqual([]);
      if (method.http.body) {
        expect(requestBody && withoutExample(requestBody.content['application/json'].schema)).toEqual([]);
      } else {
        expect(fields.map(({ name }) => name).sort()).toEqual(method.request.fields.map(({ name }) => name).sort());
      }
    });

    it('shows the header Idempotency-Key where it is heeded', () => {
      const headers = operationOf(method).parameters.filter((parameter) => parameter.in === 'header');
      expect(headers.map(({ name }) => name)).toEqual(method.idempotencyKey ? ['Idempotency-Key'] : []);
    });

    it('has an example of every value that comes out, in the envelope', () => {
      const ok = operationOf(method).responses[200];
      if (!ok) throw new Error('the answer is not documented');
      const { schema } = ok.content['application/json'];
      const { properties } = resolve(schema);
      expect(Object.keys(properties ?? {})).toEqual(['code', 'msg', 'data']);
      const { data, ...rest } = properties ?? {};
      expect(withoutExample({ properties: rest })).toEqual([]);
      // A reply without fields has nothing to give an example of.
      if (method.reply.fields.length > 0) expect(data && withoutExample(data)).toEqual([]);
    });

    it('has an example of every refusal', () => {
      const { responses } = operationOf(method);
      const codes = Object.entries(responses).flatMap(([status, { content }]) => {
        if (status === '200') return [];
        const { schema, examples } = content['application/json'];
        expect(schema.$ref).toBe('#/components/schemas/ErrorEnvelope');
        return Object.keys(examples ?? {});
      });
      expect(codes).toEqual(expect.arrayContaining(['INVALID_PARAMETER', 'UNAVAILABLE', ...method.refusals]));
    });
  });

  it('tells each service’s part by its tag', () => {
    const tags = Object.values(document.paths).flatMap((operations) =>
      Object.values(operations).flatMap((operation) => operation.tags),
    );
    expect([...new Set(tags)].sort()).toEqual(['coupon', 'flashSale', 'order', 'pay', 'product', 'stock', 'user']);
  });

  it('shows nothing of what is inside: no branches, no passwords that go out', () => {
    const { User, ...schemas } = document.components.schemas;
    expect(Object.keys(User?.properties ?? {})).toEqual(expect.arrayContaining(['email', 'version']));
    expect(Object.keys(User?.properties ?? {})).not.toContain('password');
    const withPassword = Object.entries(schemas).filter(([, { properties }]) => properties?.password);
    expect(withPassword.map(([name]) => name).filter((name) => !/Request(?:Body)?$/.test(name))).toEqual([]);
    expect(Object.keys(schemas).filter((name) => /Revert|Deduct|Units|ApplySale|Prepared/.test(name))).toEqual([]);
  });

  it('is shown by Swagger UI', async () => {
    const page = await fetch(`${gateway.service.http}/apis/swagger/index.html`);
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(/swagger-ui/);
  });
});
