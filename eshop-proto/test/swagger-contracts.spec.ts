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
    } finally {
      await app.close();
    }
  });
});
