import { bindController, type ServiceContract } from '@eshop/proto';
import { couponContract } from '@eshop/proto/coupon';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { eshopContract } from '@eshop/proto/gateway';
import { orderContract } from '@eshop/proto/order';
import { payContract } from '@eshop/proto/pay';
import { productContract } from '@eshop/proto/product';
import { userContract } from '@eshop/proto/user';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** An application with a controller that has every method of the contract. */
async function appOf(contract: ServiceContract): Promise<INestApplication> {
  class Controller {}
  for (const { key } of contract.methods) {
    Object.defineProperty(Controller.prototype, key, { value: async () => ({}), configurable: true, writable: true });
  }
  bindController(
    contract,
    contract.methods.map((method) => method.key),
  )(Controller);
  @Module({ controllers: [Controller] })
  class AppModule {}
  return NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, unknown>;
}

/** Operations that show the header and the refusal of a key that was used for something else. */
function withIdempotencyKey(paths: object): string[] {
  return Object.values(paths)
    .flatMap((path: Record<string, Operation>) => Object.values(path))
    .filter(({ parameters = [], responses }) => {
      const header = parameters.some((one) => one.in === 'header' && one.name === 'Idempotency-Key');
      if (header) expect(Object.keys(responses)).toContain('422');
      return header;
    })
    .map(({ operationId }) => operationId);
}

describe.each([
  ['user', userContract],
  ['product', productContract],
  ['order', orderContract],
  ['coupon', couponContract],
  ['pay', payContract],
  ['flashSale', flashSaleContract],
  ['gateway', eshopContract],
])('the Swagger document of %s', (_name, contract) => {
  it('has every operation, and a described schema for every reference', async () => {
    const app = await appOf(contract);
    try {
      await app.init();
      const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
      const text = JSON.stringify(document);
      for (const { operationId } of contract.methods) expect(text).toContain(`"operationId":"${operationId}"`);
      const schemas = (document.components?.schemas ?? {}) as Record<string, { description?: string }>;
      for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
        expect(Object.keys(schemas)).toContain(name);
      expect(Object.entries(schemas).filter(([, schema]) => !schema.description)).toEqual([]);
      expect(JSON.stringify(document.paths).includes('"description":""')).toBe(false);
      expect(withIdempotencyKey(document.paths)).toEqual(
        contract.methods.filter((method) => method.idempotencyKey).map((method) => method.operationId),
      );
    } finally {
      await app.close();
    }
  });
});
