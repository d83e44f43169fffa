import { stockContract } from '@eshop/proto/stock';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type HybridApp, startHybridApp } from './support/hybrid-app.ts';

let hybrid: HybridApp;
let document: OpenAPIObject;

beforeAll(async () => {
  hybrid = await startHybridApp();
  document = SwaggerModule.createDocument(hybrid.app, new DocumentBuilder().setTitle(stockContract.title).build());
});
afterAll(() => hybrid.close());

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  parameters: object[];
  requestBody: object;
  responses: Record<string, { content: Record<string, { schema: object; examples?: object }> }>;
}

function operation(path: string, verb: string): Operation {
  return (document.paths[path] as unknown as Record<string, Operation>)[verb] as Operation;
}

function schema(name: string): {
  properties: Record<string, Record<string, unknown>>;
  required?: string[];
  description?: string;
} {
  return document.components?.schemas?.[name] as ReturnType<typeof schema>;
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

it('has an operation for every rpc', () => {
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path as unknown as Record<string, Operation>).map((one) => one.operationId),
  );
  expect(ids.sort()).toEqual(stockContract.methods.map((method) => `stock_${method.rpc}`).sort());
});

it('describes an operation as the contract does', () => {
  const { summary, description, tags } = operation('/api/v1/stock/deduct', 'post');
  expect({ summary, description, tags }).toEqual({
    summary: 'Deduct stock',
    description: 'Saga action: takes units of a product for an order, all or none.',
    tags: ['dtm saga'],
  });
  expect(operation('/api/v1/stock', 'post').tags).toEqual(['stock']);
});

it('names the body and the parameters, with their rules', () => {
  expect(operation('/api/v1/stock/list', 'post').requestBody).toMatchObject({
    required: true,
    content: { 'application/json': { schema: ref('ListStockRequest') } },
  });
  const { parameters, requestBody } = operation('/api/v1/stock/{id}', 'put');
  expect(parameters).toEqual([
    {
      name: 'id',
      in: 'path',
      required: true,
      description: 'Id of the stock record.',
      schema: { type: 'integer', format: 'uint64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, example: 1 },
    },
  ]);
  expect(requestBody).toMatchObject({ content: { 'application/json': { schema: ref('UpdateStockByIDRequestBody') } } });
  expect(Object.keys(schema('UpdateStockByIDRequestBody').properties)).toEqual(['productID', 'stock']);
});

it('answers with the envelope around the named reply', () => {
  const { responses } = operation('/api/v1/stock/{id}', 'get');
  expect(responses['200']?.content['application/json']?.schema).toEqual(ref('GetStockByIDReplyEnvelope'));
  const { properties, required } = schema('GetStockByIDReplyEnvelope');
  expect(required).toEqual(['code', 'msg', 'data']);
  expect(properties.data).toMatchObject({ allOf: [ref('GetStockByIDReply')] });
});

it('says with 503 when to come back', () => {
  const { responses } = operation('/api/v1/stock/{id}', 'put');
  expect(responses['503']).toMatchObject({ headers: { 'Retry-After': { schema: { type: 'integer', minimum: 1 } } } });
  expect(responses['409']).not.toHaveProperty('headers');
});

it('answers refusals with the named error envelope and an example for each code', () => {
  const { responses } = operation('/api/v1/stock/{id}', 'put');
  expect(Object.keys(responses)).toEqual(['200', '400', '404', '409', '413', '415', '500', '503', '504']);
  const conflict = responses['409']?.content['application/json'];
  expect(conflict?.schema).toEqual(ref('ErrorEnvelope'));
  expect(conflict?.examples).toMatchObject({ FIELD_IMMUTABLE: { value: { code: 40908, data: {} } } });
  expect(Object.keys(schema('ErrorEnvelope').properties)).toEqual(['code', 'msg', 'data', 'requestID', 'violations']);
  expect(schema('Violation').required).toEqual(['field', 'rule', 'description']);
});

it('gives fields their description, example, rules and integer types', () => {
  expect(schema('Params')).toMatchObject({
    description: 'Which page of a list is wanted, in which order, filtered how.',
    properties: {
      limit: { type: 'integer', format: 'int32', minimum: 0, maximum: 1000, example: 10 },
      sort: { type: 'string', maxLength: 255 },
      columns: { type: 'array', items: ref('Column'), maxItems: 50 },
    },
  });
  expect(schema('CreateStockRequest').required).toEqual(['productID']);
  expect(schema('Stock')).toMatchObject({
    required: ['id', 'productID', 'stock', 'createdAt', 'updatedAt'],
    properties: { id: { type: 'integer', format: 'uint64', description: 'Id of the stock record.' } },
  });
});

it('refers only to schemas that exist, and describes every one', () => {
  const schemas = document.components?.schemas ?? {};
  const refs = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    (match) => match[1] as string,
  );
  expect(refs.filter((name) => !(name in schemas))).toEqual([]);
  for (const name of Object.keys(schemas)) expect(schema(name).description).toBeTruthy();
});
