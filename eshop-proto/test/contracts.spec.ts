import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type ClientContract, GRPC_CLIENT_FACTORY, type GrpcClientFactory, type ServiceContract } from '@eshop/proto';
import { couponContract } from '@eshop/proto/coupon';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { eshopContract } from '@eshop/proto/gateway';
import { managementContract } from '@eshop/proto/management';
import { orderColumns, orderContract } from '@eshop/proto/order';
import { type CreatePayReply, PayService, payContract } from '@eshop/proto/pay';
import { productContract } from '@eshop/proto/product';
import { StockClient, StockClientModule, StockService, stockColumns, stockContract } from '@eshop/proto/stock';
import { User, userColumns, userContract } from '@eshop/proto/user';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';

const crud = (base: string) => [`DELETE ${base}/{id}`, `PUT ${base}/{id}`, `GET ${base}/{id}`, `POST ${base}/list`];

const ROUTES: [ServiceContract, string, number, number | null, string[]][] = [
  [userContract, 'api.user.v1.user', 30080, 30082, ['POST /api/v1/user', ...crud('/api/v1/user')]],
  [productContract, 'api.product.v1.product', 30180, 30182, ['POST /api/v1/product', ...crud('/api/v1/product')]],
  [
    orderContract,
    'api.order.v1.order',
    30280,
    30282,
    [
      'POST /api/v1/order/submit',
      'POST /api/v1/order/sendSubmitNotify',
      'POST /api/v1/order/create',
      'POST /api/v1/order/createRevert',
      'GET /api/v1/order/byOrderID/{orderID}',
      'GET /api/v1/order/sale/{saleID}',
      ...crud('/api/v1/order'),
    ],
  ],
  [
    stockContract,
    'api.stock.v1.stock',
    30380,
    30382,
    [
      'POST /api/v1/stock/deduct',
      'POST /api/v1/stock/deductRevert',
      'POST /api/v1/stock/setFlashSale',
      'POST /api/v1/stock/applySale',
      'GET /api/v1/stock/flashSale/{productID}',
      'POST /api/v1/stock/flashSale/list',
      'PUT /api/v1/stock/flashSale/{productID}',
      'DELETE /api/v1/stock/flashSale/{productID}',
      'POST /api/v1/stock',
      ...crud('/api/v1/stock'),
    ],
  ],
  [
    couponContract,
    'api.coupon.v1.coupon',
    30480,
    30482,
    ['POST /api/v1/coupon/use', 'POST /api/v1/coupon/useRevert', 'POST /api/v1/coupon', ...crud('/api/v1/coupon')],
  ],
  [
    payContract,
    'api.pay.v1.pay',
    30580,
    30582,
    [
      'POST /api/v1/pay/create',
      'POST /api/v1/pay/createRevert',
      'GET /api/v1/pay/byOrderID/{orderID}',
      ...crud('/api/v1/pay'),
    ],
  ],
  [
    flashSaleContract,
    'api.flashSale.v1.flashSale',
    30680,
    30682,
    [
      'POST /api/v1/flashSale',
      'GET /api/v1/flashSale/byOrderID/{orderID}',
      'GET /api/v1/flashSale/sale/{productID}',
      'POST /api/v1/flashSale/sale/{productID}/rebuild',
      'POST /api/v1/flashSale/withdrawUnits',
      'POST /api/v1/flashSale/withdrawUnitsRevert',
      'POST /api/v1/flashSale/grantUnits',
      'POST /api/v1/flashSale/returnUnit',
      'GET /api/v1/redisQueryPrepared',
      'POST /api/v1/SendSubmitOrderNotify',
    ],
  ],
  [
    eshopContract,
    'api.eshop_gw.v1.eshop',
    8080,
    null,
    [
      'POST /api/v1/user',
      'GET /api/v1/user/list',
      'POST /api/v1/product',
      'GET /api/v1/product/{id}',
      'GET /api/v1/product/list',
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
    ],
  ],
  [
    managementContract,
    'api.eshop_gw.v1.management',
    8080,
    null,
    [
      ...['user', 'stock', 'coupon'].map((name) => `GET /api/v1/${name}/{id}`),
      ...['user', 'product', 'stock', 'coupon', 'order'].flatMap((name) => [
        `PUT /api/v1/${name}/{id}`,
        `DELETE /api/v1/${name}/{id}`,
      ]),
      'GET /api/v1/stock/flashSale/list',
      ...['GET', 'PUT', 'DELETE'].map((verb) => `${verb} /api/v1/stock/flashSale/{productID}`),
      'GET /api/v1/pay/byID/{id}',
      'GET /api/v1/pay/list',
    ],
  ],
];

describe.each(ROUTES)('%#', (contract, fullName, httpPort, grpcPort, routes) => {
  it(`${fullName} has its published routes and ports`, () => {
    expect(contract).toMatchObject({ fullName, httpPort, grpcPort });
    expect(contract.methods.map(({ verb, route }) => `${verb.toUpperCase()} ${route}`).sort()).toEqual(
      [...routes].sort(),
    );
  });

  it(`${fullName} carries its descriptors`, () => {
    const names = contract.fileDescriptors.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
    expect(names).toContain('google/protobuf/descriptor.proto');
    expect(names.at(-1)).toMatch(/^api\//);
  });
});

describe('branches', () => {
  it('are the methods that DTM calls', () => {
    const branches = ROUTES.flatMap(([{ name, methods }]) =>
      methods.filter((one) => one.branch).map((one) => `${name}.${one.key}`),
    );
    expect(branches).toEqual([
      'order.create',
      'order.createRevert',
      'stock.stockDeduct',
      'stock.stockDeductRevert',
      'stock.applySale',
      'coupon.couponUse',
      'coupon.couponUseRevert',
      'pay.create',
      'pay.createRevert',
      'flashSale.withdrawUnits',
      'flashSale.withdrawUnitsRevert',
      'flashSale.grantUnits',
      'flashSale.returnUnit',
      'flashSale.redisQueryPrepared',
      'flashSale.sendSubmitOrderNotify',
    ]);
  });

  it('are none of the gateway’s methods', () => {
    for (const { methods } of [eshopContract, managementContract]) {
      for (const one of methods) expect([one.key, one.branch]).toEqual([one.key, false]);
    }
  });

  it('and the public methods do not share a route at the gateway', () => {
    const routes = [eshopContract, managementContract].flatMap(({ methods }) =>
      methods.map(({ verb, route }) => `${verb} ${route}`),
    );
    expect(new Set(routes).size).toBe(routes.length);
  });
});

describe('codecs', () => {
  it('keep ids and presence', () => {
    const { requestSerialize, requestDeserialize } = StockService.updateByID;
    const request = { id: Number.MAX_SAFE_INTEGER, productID: undefined, stock: 0 };
    expect(requestDeserialize(requestSerialize(request))).toEqual(request);
  });

  it('complete a reply: a branch that its barrier skips answers {}', () => {
    const { responseSerialize, responseDeserialize } = PayService.create;
    expect(responseDeserialize(responseSerialize({} as CreatePayReply))).toEqual({ id: 0 });
  });

  it('write a message as it is after one that could not be written', () => {
    const { requestSerialize, requestDeserialize } = PayService.create;
    const request = { userID: 7, orderID: 'a'.repeat(300), amount: 1 };
    const whole = requestSerialize(request);
    expect(() => requestSerialize({ ...request, amount: 0.5 })).toThrow();
    expect(requestSerialize(request)).toEqual(whole);
    const large = { ...request, orderID: 'b'.repeat(100_000) };
    expect(requestDeserialize(requestSerialize(large))).toEqual(large);
    expect(requestSerialize(request)).toEqual(whole);
    // What was handed out before is not written over.
    expect(requestDeserialize(whole)).toEqual(request);
  });

  it('know no password of a user', () => {
    expect(Object.keys(User.decode(new Uint8Array()))).not.toContain('password');
  });
});

describe('columns', () => {
  it('are the allow-list of list filters', () => {
    expect(stockColumns).toEqual({
      id: { field: 'id', kind: 'uint64' },
      product_id: { field: 'productID', kind: 'uint64' },
      stock: { field: 'stock', kind: 'uint32' },
      created_at: { field: 'createdAt', kind: 'timestamp' },
      updated_at: { field: 'updatedAt', kind: 'timestamp' },
    });
    expect(orderColumns.coupon_amount).toEqual({ field: 'couponAmount', kind: 'uint32' });
    expect(Object.keys(userColumns)).not.toContain('password');
  });
});

describe('a client module', () => {
  it('provides the client that the factory makes', async () => {
    const asked: ClientContract[] = [];
    const client = { list: () => undefined };
    const factory: GrpcClientFactory = {
      create<T extends object>(contract: ClientContract): T {
        asked.push(contract);
        return client as unknown as T;
      },
    };
    @Module({ providers: [{ provide: GRPC_CLIENT_FACTORY, useValue: factory }], exports: [GRPC_CLIENT_FACTORY] })
    class FactoryModule {}
    const app = await Test.createTestingModule({
      imports: [{ module: FactoryModule, global: true }, StockClientModule],
    }).compile();
    expect(app.get(StockClient)).toBe(client);
    const safe = ['getFlashSale', 'listFlashSale', 'getByID', 'list'];
    expect(asked).toMatchObject([{ name: 'stock', fullName: 'api.stock.v1.stock', safe }]);
    await app.close();
  });
});
