import { randomUUID } from 'node:crypto';
import { send } from '@eshop/nest-service/testing';
import type { GrantUnitsRequest } from '@eshop/proto/flashsale';
import { branch, gidOf, newProductID, newUserID, type Started, signedGrant, startFlashSale } from './service.js';

describe('the counter of a sale', () => {
  let shop: Started;
  beforeAll(async () => {
    shop = await startFlashSale();
  });
  afterAll(() => shop.close());

  const left = async (productID: number) => (await shop.grpc.getSale({ productID })).left;

  async function newSale(units: number): Promise<GrantUnitsRequest> {
    return shop.begin(newProductID(), units);
  }

  const grant = (request: GrantUnitsRequest, gid = gidOf(request.productID)) =>
    shop.grpc.grantUnits(request, branch({ gid, branchId: '03' }));

  const buy = (productID: number) => shop.grpc.flashSale({ userID: newUserID(), productID, amount: 1 });

  function withdrawal({ productID, saleID }: GrantUnitsRequest, units: number, version = 2) {
    const gid = gidOf(productID);
    const request = { productID, saleID, version, units };
    return {
      gid,
      take: () => shop.grpc.withdrawUnits(request, branch({ gid })),
      putBack: () => shop.grpc.withdrawUnitsRevert(request, branch({ gid, op: 'compensate' })),
    };
  }

  describe('is granted units', () => {
    it('once, however often DTM asks', async () => {
      const productID = newProductID();
      const sale = await shop.begin(productID, 5, { limitPerUser: 2, opensAtMs: 1_000, closesAtMs: 4_000_000_000_000 });
      const gid = gidOf(productID);
      const more = { ...sale, begins: 0, version: 2, units: 3 };
      await Promise.all(Array.from({ length: 20 }, () => grant(more, gid)));
      await grant(more);
      expect(await shop.grpc.getSale({ productID })).toEqual({
        ...{ productID, state: 'running', saleID: sale.saleID, version: 2, left: 8, reserved: 0, limitPerUser: 2 },
        ...{ opensAt: '1970-01-01T00:00:01.000Z', closesAt: '2096-10-02T07:06:40.000Z' },
      });
    });

    it('and shown also when its end is beyond the last year, as an earlier release let it be', async () => {
      const { productID } = await newSale(5);
      await shop.redis.hset(`${shop.prefix}{${productID}}:sale`, 'closes', 253_402_344_000_000, 'opens', 'soon');
      expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 5, opensAt: '', closesAt: '' });
    });

    it('by the next change only', async () => {
      const sale = await newSale(5);
      for (const version of [1, 3, 9]) await grant({ ...sale, begins: 0, version, units: 100 });
      await grant({ ...sale, begins: 0, version: 2, units: 100, saleID: sale.saleID + 1 });
      expect(await left(sale.productID)).toBe(5);
    });

    it('not when it is lost: they come back when it is rebuilt', async () => {
      const sale = await newSale(5);
      await shop.redis.del(`${shop.prefix}{${sale.productID}}:sale`);
      await grant({ ...sale, begins: 0, version: 2, units: 100 });
      expect(await shop.grpc.getSale({ productID: sale.productID })).toMatchObject({ state: 'none', saleID: 0 });
    });

    it('of a new sale, and forgets the old one', async () => {
      const sale = await newSale(5);
      await buy(sale.productID);
      const next = await shop.begin(sale.productID, 7, { version: 2 });
      expect(await shop.grpc.getSale({ productID: sale.productID })).toMatchObject({
        ...{ saleID: next.saleID, left: 7, reserved: 0 },
      });
    });
  });

  describe('gives units up', () => {
    it('that are left, once', async () => {
      const sale = await newSale(5);
      const { gid, take } = withdrawal(sale, 3);
      await Promise.all(Array.from({ length: 20 }, () => take()));
      expect(await left(sale.productID)).toBe(2);
      await grant({ ...sale, begins: 0, version: 2, units: 0, withdrawn: 3, status: 2 }, gid);
      expect(await shop.grpc.getSale({ productID: sale.productID })).toMatchObject({ left: 2, state: 'ended' });
    });

    it('and gets them back when the change is called off', async () => {
      const sale = await newSale(5);
      const { take, putBack } = withdrawal(sale, 3);
      await take();
      await Promise.all(Array.from({ length: 20 }, () => putBack()));
      expect(await left(sale.productID)).toBe(5);
      await expect(take()).rejects.toMatchObject({ grpcStatus: 10 });
      expect(await left(sale.productID)).toBe(5);
    });

    it('not after the change was called off before it came', async () => {
      const sale = await newSale(5);
      const { take, putBack } = withdrawal(sale, 3);
      await putBack();
      await expect(take()).rejects.toMatchObject({ grpcStatus: 10 });
      expect(await left(sale.productID)).toBe(5);
    });

    it('for one change at a time, so that each can be called off or carried out', async () => {
      const sale = await newSale(9);
      const [first, second] = [withdrawal(sale, 3), withdrawal(sale, 2)];
      await first.take();
      await expect(second.take()).rejects.toMatchObject({ grpcStatus: 10 });
      await second.putBack();
      expect(await left(sale.productID)).toBe(6);
      await grant({ ...sale, begins: 0, version: 2, units: 0, withdrawn: 3 }, first.gid);
      expect(await left(sale.productID)).toBe(6);
    });

    it('and gets them back also when another change was faster', async () => {
      const sale = await newSale(5);
      const { take, putBack } = withdrawal(sale, 3);
      await take();
      await grant({ ...sale, begins: 0, version: 2, units: 4, withdrawn: 0 });
      await putBack();
      expect(await shop.grpc.getSale({ productID: sale.productID })).toMatchObject({ left: 9, version: 2 });
    });

    it('not more than are left, nor for another change or sale', async () => {
      const sale = await newSale(5);
      await buy(sale.productID);
      for (const { take } of [
        withdrawal(sale, 5),
        withdrawal(sale, 1, 1),
        withdrawal(sale, 1, 3),
        withdrawal({ ...sale, saleID: 1 }, 1),
      ]) {
        await expect(take()).rejects.toMatchObject({ grpcStatus: 10 });
      }
      expect(await left(sale.productID)).toBe(4);
    });
  });

  describe('gets the unit of an order back', () => {
    const returning = (sale: GrantUnitsRequest, orderID: string, gid = orderID, transType = 'saga') =>
      shop.grpc.returnUnit(
        { productID: sale.productID, saleID: sale.saleID, orderID },
        branch({ gid, transType, op: transType === 'saga' ? 'compensate' : 'action' }),
      );

    it('once, of 20 at a time', async () => {
      const productID = newProductID();
      const sale = await shop.begin(productID, 2, { limitPerUser: 1 });
      const userID = newUserID();
      const { orderID } = await shop.grpc.flashSale({ userID, productID, amount: 1 });
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => returning(sale, orderID, randomUUID(), i % 2 ? 'saga' : 'msg')),
      );
      expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 2, reserved: 0 });
      await shop.grpc.flashSale({ userID, productID, amount: 1 });
      expect(await left(productID)).toBe(1);
    });

    it('only if it has given it out, and in the same sale', async () => {
      const sale = await newSale(2);
      const { orderID } = await buy(sale.productID);
      await returning(sale, '1'.repeat(26));
      await returning({ ...sale, saleID: sale.saleID + 1 }, orderID);
      await returning({ ...sale, productID: newProductID() }, orderID);
      expect(await left(sale.productID)).toBe(1);
    });

    it('as ordinary stock after the sale', async () => {
      const sale = await newSale(1);
      const { orderID } = await buy(sale.productID);
      await grant({ ...sale, begins: 0, version: 2, units: 0, status: 2 });
      await returning(sale, orderID);
      expect(await shop.grpc.getSale({ productID: sale.productID })).toMatchObject({ left: 0, reserved: 0 });
    });
  });

  it('cannot be touched by calls that are not signed, on either transport', async () => {
    const sale = await newSale(5);
    const { productID, saleID } = sale;
    const { orderID } = await buy(productID);
    const units = { productID, saleID, version: 2, units: 1 };
    const order = { userID: 1, productID, productCount: 1, amount: 1, couponID: 0, orderID, saleID };
    const foreign = signedGrant(randomUUID(), { ...sale, begins: 0, version: 2 });
    const stolen = { metadata: { ...foreign.metadata, 'dtm-gid': randomUUID() } };
    for (const options of [{}, stolen]) {
      for (const call of [
        () => shop.grpc.grantUnits({ ...sale, begins: 0, version: 2 }, options),
        () => shop.grpc.withdrawUnits(units, options),
        () => shop.grpc.withdrawUnitsRevert(units, options),
        () => shop.grpc.returnUnit({ productID, saleID, orderID }, options),
        () => shop.grpc.sendSubmitOrderNotify(order, options),
        () => shop.grpc.redisQueryPrepared({}, options),
      ]) {
        await expect(call()).rejects.toMatchObject({ grpcStatus: 16 });
      }
    }
    const query = `?gid=${randomUUID()}&trans_type=saga&branch_id=01&op=action`;
    const paths = ['grantUnits', 'withdrawUnits', 'withdrawUnitsRevert', 'returnUnit'].map(
      (name) => `flashSale/${name}`,
    );
    for (const path of [...paths, 'SendSubmitOrderNotify']) {
      const url = `${shop.service.http}/api/v1/${path}`;
      expect((await send('POST', url, { ...sale, ...units, ...order })).status).toBe(401);
      expect((await send('POST', url + query, { ...sale, ...units, ...order })).status).toBe(401);
    }
    expect((await send('GET', `${shop.service.http}/api/v1/redisQueryPrepared`)).status).toBe(401);
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 4, reserved: 1, version: 1 });
  });
});
