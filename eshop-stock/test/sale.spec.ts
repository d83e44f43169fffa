import { randomInt, randomUUID } from 'node:crypto';
import { freePort } from '@eshop/nest-dtm/testing';
import { eventually } from '@eshop/nest-service/testing';
import { ContractError } from '@eshop/proto';
import type { Counter } from './flash-sale-peer.js';
import { call, type Started, StockProcess, startStock } from './service.js';

const newProductID = () => randomInt(1, 2 ** 40);

interface Book {
  stock: number;
  initial: number;
  allotted: number;
  sale_id: number;
  sale_version: number;
}

describe('a flash sale', () => {
  let stock: Started;
  beforeAll(async () => {
    stock = await startStock();
  });
  afterAll(() => stock.close());
  afterEach(() => {
    for (const method of ['getSale', 'withdrawUnits', 'grantUnits'] as const)
      stock.flashSales.before(method, undefined);
  });

  async function newStock(units: number): Promise<number> {
    const productID = newProductID();
    await stock.grpc.create({ productID, stock: units });
    return productID;
  }

  async function newSale(units: number, allotted = units): Promise<number> {
    const productID = await newStock(0);
    await stock.grpc.setFlashSaleStock({ productID, stock: units, allotted });
    return productID;
  }

  async function bookOf(productID: number): Promise<Book> {
    const [row] = await stock.rows<Book>('SELECT * FROM stock WHERE product_id = ?', [productID]);
    if (!row) throw new Error('no row');
    return row;
  }

  const counterOf = (productID: number) => stock.flashSales.counters.get(productID) as Counter;

  /** [units in all, allotted, left at the counter] */
  async function unitsOf(productID: number): Promise<[number, number, number]> {
    const { stock: units, allotted } = await bookOf(productID);
    return [units, allotted, counterOf(productID).left];
  }

  const deduct = (productID: number, saleID: number, gid: string = randomUUID()) =>
    stock.grpc.stockDeduct({ productID, productCount: 1, saleID }, stock.branch(gid, 'action'));

  const sagasOf = (productID: number) =>
    stock.flashSales.effects.filter((effect) => effect.includes(`{${productID}}`)).length;

  describe('is set', () => {
    it('and takes all units when nothing else is said', async () => {
      const productID = await newSale(10);
      expect(await unitsOf(productID)).toEqual([10, 10, 10]);
      const { flashSale, allotted } = await stock.grpc.getFlashSale({ productID });
      expect(flashSale).toMatchObject({ productID, units: 10, limitPerUser: 0, opensAt: '', closesAt: '', status: 1 });
      expect(allotted).toBe(10);
      expect(counterOf(productID)).toMatchObject({ saleID: flashSale?.id, version: 1 });
    });

    it('once, however often the same is asked', async () => {
      const productID = await newStock(0);
      const request = { productID, stock: 20, allotted: 8, limitPerUser: 2, closesAt: '2099-01-01T00:00:00+02:00' };
      for (let i = 0; i < 3; i++) await stock.grpc.setFlashSaleStock(request);
      expect(await unitsOf(productID)).toEqual([20, 8, 8]);
      expect((await bookOf(productID)).sale_version).toBe(1);
      expect((await stock.grpc.getFlashSale({ productID })).flashSale?.closesAt).toBe('2098-12-31T22:00:00.000Z');
    });

    it('higher and lower, without the counter ever seeing more than the books', async () => {
      const productID = await newSale(10);
      const steps: [number, number][] = [
        [30, 30],
        [30, 5],
        [7, 7],
        [7, 1],
      ];
      for (const [units, allotted] of steps) {
        await stock.grpc.setFlashSaleStock({ productID, stock: units, allotted });
        expect(await unitsOf(productID)).toEqual([units, allotted, allotted]);
      }
      const { stock: units, initial } = await bookOf(productID);
      expect(initial).toBe(units);
      expect((await stock.grpc.getFlashSale({ productID })).flashSale?.units).toBe(1);
    });

    it('again after it has ended, as another sale', async () => {
      const productID = await newSale(10);
      const first = counterOf(productID).saleID;
      await stock.grpc.setFlashSaleStock({ productID, stock: 10, allotted: 0 });
      expect(await bookOf(productID)).toMatchObject({ stock: 10, allotted: 0, sale_id: 0 });
      expect(counterOf(productID)).toMatchObject({ left: 0, status: 2 });
      expect((await stock.grpc.getFlashSale({ productID })).flashSale).toMatchObject({ id: first, status: 2 });
      await stock.grpc.setFlashSaleStock({ productID, stock: 4 });
      const second = counterOf(productID).saleID;
      expect(second).not.toBe(first);
      expect((await stock.grpc.getFlashSale({ productID })).flashSale).toMatchObject({ id: second, status: 1 });
      const { flashSales } = await stock.grpc.listFlashSale({
        params: {
          page: 0,
          limit: 0,
          sort: 'id',
          columns: [{ name: 'product_id', exp: '=', value: String(productID), logic: '' }],
        },
      });
      expect(flashSales.map(({ id }) => id)).toEqual([first, second]);
    });

    it('by two at once: one after the other', async () => {
      const productID = await newSale(10);
      await Promise.all([15, 20, 25].map((units) => stock.grpc.setFlashSaleStock({ productID, stock: units })));
      const [units, allotted, left] = await unitsOf(productID);
      expect([15, 20, 25]).toContain(units);
      expect([allotted, left]).toEqual([units, units]);
      expect((await bookOf(productID)).sale_version).toBe(4);
    });

    it('for the first time by two at once', async () => {
      const productID = await newStock(0);
      await Promise.all([5, 6].map((units) => stock.grpc.setFlashSaleStock({ productID, stock: units })));
      const [units, allotted, left] = await unitsOf(productID);
      expect([5, 6]).toContain(units);
      expect([allotted, left]).toEqual([units, units]);
    });

    it('to no units without a sale: ordinary stock, and nobody else is asked', async () => {
      const productID = await newStock(3);
      stock.flashSales.before('getSale', ({ productID: asked }) => {
        if (asked === productID) throw new Error('asked');
      });
      await stock.grpc.setFlashSaleStock({ productID, stock: 9, allotted: 0 });
      await stock.grpc.setFlashSaleStock({ productID, stock: 0 });
      expect(await bookOf(productID)).toMatchObject({ stock: 0, initial: 0, sale_id: 0 });
    });
  });

  describe('is changed and ended', () => {
    it('in its terms alone, while orders go on', async () => {
      const productID = await newSale(10);
      const { saleID } = counterOf(productID);
      stock.flashSales.reserve(productID);
      await deduct(productID, saleID);
      const opensAt = '2026-01-02T03:04:05.678Z';
      expect(await stock.http('PUT', `/flashSale/${productID}`, { opensAt, limitPerUser: 3 })).toMatchObject({
        code: 0,
      });
      expect(await unitsOf(productID)).toEqual([9, 9, 9]);
      expect(counterOf(productID)).toMatchObject({ opensAtMs: Date.parse(opensAt), closesAtMs: 0, limitPerUser: 3 });
      await stock.http('PUT', `/flashSale/${productID}`, { opensAt: '' });
      expect(counterOf(productID)).toMatchObject({ opensAtMs: 0, limitPerUser: 3 });
    });

    it('with the first and the last time that there are, digits beyond milliseconds cut off', async () => {
      const productID = await newSale(10);
      const terms = { opensAt: '1970-01-01T00:00:00.001z', closesAt: '9999-12-31t21:59:59.9999-02:00' };
      await stock.grpc.updateFlashSale({ productID, ...terms });
      expect((await stock.grpc.getFlashSale({ productID })).flashSale).toMatchObject({
        opensAt: '1970-01-01T00:00:00.001Z',
        closesAt: '9999-12-31T23:59:59.999Z',
      });
      expect(counterOf(productID)).toMatchObject({ opensAtMs: 1, closesAtMs: 253_402_300_799_999 });
    });

    it('not to a time that cannot be kept', async () => {
      const productID = await newSale(10);
      const closesAt = '9999-12-31T23:59:59-12:00';
      expect(await stock.http('PUT', `/flashSale/${productID}`, { closesAt })).toMatchObject({ status: 400 });
      await expect(stock.grpc.updateFlashSale({ productID, closesAt })).rejects.toMatchObject({
        violations: [expect.objectContaining({ field: 'closesAt', rule: 'timestamp' })],
      });
      expect((await stock.grpc.getFlashSale({ productID })).flashSale?.closesAt).toBe('');
    });

    it('whose row has a zero date: it is shown without that time, in lists too, and can be changed', async () => {
      const productID = await newSale(10);
      const { saleID } = counterOf(productID);
      await stock.rows("SET SESSION sql_mode = ''");
      await stock.rows("UPDATE flash_sale SET closes_at = '0000-00-00', created_at = '0000-00-00' WHERE id = ?", [
        saleID,
      ]);
      const shown = { id: saleID, opensAt: '', closesAt: '', createdAt: '' };
      expect((await stock.grpc.getFlashSale({ productID })).flashSale).toMatchObject(shown);
      const params = { page: 0, limit: 1000, sort: '', columns: [] };
      const { flashSales } = await stock.grpc.listFlashSale({ params });
      expect(flashSales.find(({ id }) => id === saleID)).toMatchObject(shown);
      expect(await stock.http('POST', '/flashSale/list', { params })).toMatchObject({ status: 200 });
      const closesAt = '2099-12-31T23:59:59.999Z';
      await stock.grpc.updateFlashSale({ productID, closesAt });
      expect((await stock.grpc.getFlashSale({ productID })).flashSale).toMatchObject({ closesAt, createdAt: '' });
    });

    it('when all its units are sold, and runs on', async () => {
      const productID = await newSale(1);
      const { saleID } = counterOf(productID);
      stock.flashSales.reserve(productID);
      await deduct(productID, saleID);
      await stock.grpc.updateFlashSale({ productID, limitPerUser: 1 });
      expect((await stock.grpc.getFlashSale({ productID })).flashSale).toMatchObject({ status: 1, limitPerUser: 1 });
      await stock.grpc.setFlashSaleStock({ productID, stock: 5 });
      expect(await unitsOf(productID)).toEqual([5, 5, 5]);
      expect(await bookOf(productID)).toMatchObject({ initial: 6, sale_id: saleID });
    });

    it('and gives back what is left', async () => {
      const productID = await newSale(10, 4);
      expect(await stock.http('DELETE', `/flashSale/${productID}`)).toMatchObject({ status: 200, code: 0 });
      expect(await bookOf(productID)).toMatchObject({ stock: 10, allotted: 0, sale_id: 0 });
      expect((await stock.http('DELETE', `/flashSale/${productID}`)).status).toBe(404);
      expect((await stock.http('PUT', `/flashSale/${productID}`, { limitPerUser: 1 })).status).toBe(404);
      for (let i = 0; i < 10; i++) await deduct(productID, 0);
    });

    it('but not below what is promised to buyers', async () => {
      const productID = await newSale(10);
      for (let i = 0; i < 4; i++) stock.flashSales.reserve(productID);
      for (const change of [
        () => stock.grpc.setFlashSaleStock({ productID, stock: 10, allotted: 3 }),
        () => stock.grpc.deleteFlashSale({ productID }),
      ]) {
        await expect(change()).rejects.toMatchObject({
          code: 'CONFLICT',
          message: expect.stringContaining('promised'),
        });
      }
      expect(await unitsOf(productID)).toEqual([10, 10, 6]);
      await stock.grpc.setFlashSaleStock({ productID, stock: 10, allotted: 4 });
      expect(await unitsOf(productID)).toEqual([10, 4, 0]);
    });

    it('is refused when a buyer is faster than the withdrawal', async () => {
      const productID = await newSale(5);
      stock.flashSales.before('withdrawUnits', (request) => {
        if (request.productID === productID && counterOf(productID).left === 5) stock.flashSales.reserve(productID);
      });
      await expect(stock.grpc.deleteFlashSale({ productID })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await unitsOf(productID)).toEqual([5, 5, 4]);
    });
  });

  describe('keeps its units apart', () => {
    it('from ordinary orders, and theirs from the sale', async () => {
      const productID = await newSale(5, 3);
      const { saleID } = counterOf(productID);
      const tries = (of: number, n: number) =>
        Promise.allSettled(Array.from({ length: n }, () => deduct(productID, of)));
      const [ordinary, flash, foreign] = await Promise.all([tries(0, 6), tries(saleID, 6), tries(saleID + 1, 2)]);
      const taken = (results: PromiseSettledResult<object>[]) =>
        results.filter(({ status }) => status === 'fulfilled').length;
      expect([taken(ordinary), taken(flash), taken(foreign)]).toEqual([2, 3, 0]);
      expect(await bookOf(productID)).toMatchObject({ stock: 0, allotted: 0, initial: 5 });
    });

    it('and gets back the unit of an order that is rolled back, once', async () => {
      const productID = await newSale(5);
      const { saleID } = counterOf(productID);
      const gid = randomUUID();
      await deduct(productID, saleID, gid);
      expect((await bookOf(productID)).allotted).toBe(4);
      const request = { productID, productCount: 1, saleID };
      for (let i = 0; i < 3; i++) await stock.grpc.stockDeductRevert(request, stock.branch(gid, 'compensate'));
      expect(await bookOf(productID)).toMatchObject({ stock: 5, allotted: 5 });
    });

    it('while a unit that comes back after its end is ordinary stock', async () => {
      const productID = await newSale(1);
      const { saleID } = counterOf(productID);
      const gid = randomUUID();
      stock.flashSales.reserve(productID);
      await deduct(productID, saleID, gid);
      await stock.grpc.deleteFlashSale({ productID });
      await stock.grpc.stockDeductRevert({ productID, productCount: 1, saleID }, stock.branch(gid, 'compensate'));
      expect(await bookOf(productID)).toMatchObject({ stock: 1, allotted: 0 });
    });

    it('from people: the stock record keeps them', async () => {
      const productID = await newSale(5, 3);
      const { id } = (
        await stock.rows<{ id: number }>('SELECT id FROM stock WHERE product_id = ?', [productID])
      )[0] ?? { id: 0 };
      await expect(stock.grpc.updateByID({ id, stock: 2 })).rejects.toMatchObject({ code: 'IN_USE' });
      await expect(stock.grpc.deleteByID({ id })).rejects.toMatchObject({ code: 'IN_USE' });
      await expect(stock.grpc.updateByID({ id, productID: newProductID() })).rejects.toMatchObject({
        code: 'FIELD_IMMUTABLE',
      });
      await stock.grpc.updateByID({ id, stock: 3 });
      expect(await unitsOf(productID)).toEqual([3, 3, 3]);
    });
  });

  describe('is refused', () => {
    it('for a product without stock', async () => {
      await expect(stock.grpc.setFlashSaleStock({ productID: newProductID(), stock: 1 })).rejects.toMatchObject({
        code: 'STOCK_NOT_FOUND',
      });
    });

    it('while the flash sale service cannot work, and nothing changes', async () => {
      const productID = await newSale(5);
      const other = await newStock(1);
      stock.flashSales.before('getSale', () => {
        throw new ContractError('UNAVAILABLE');
      });
      for (const request of [
        { productID, stock: 9 },
        { productID: other, stock: 9 },
      ]) {
        expect(await stock.http('POST', '/setFlashSale', request)).toMatchObject({ status: 503 });
      }
      expect(await bookOf(productID)).toMatchObject({ stock: 5, sale_version: 1 });
      expect(await bookOf(other)).toMatchObject({ stock: 1, sale_version: 0 });
    });

    it('when its counter is lost', async () => {
      const productID = await newSale(5);
      stock.flashSales.counters.delete(productID);
      for (const units of [5, 9]) {
        await expect(stock.grpc.setFlashSaleStock({ productID, stock: units })).rejects.toMatchObject({
          code: 'FLASH_SALE_LOST',
        });
      }
      expect(await bookOf(productID)).toMatchObject({ stock: 5, sale_version: 1 });
    });

    it('while DTM cannot be reached, and nothing changes', async () => {
      const alone = await startStock({ dtm: { grpc: '127.0.0.1:9', http: 'http://127.0.0.1:9' } });
      try {
        const productID = newProductID();
        await alone.grpc.create({ productID, stock: 1 });
        expect(await alone.http('POST', '/setFlashSale', { productID, stock: 2 })).toMatchObject({ status: 503 });
        expect(await alone.rows('SELECT stock FROM stock')).toEqual([{ stock: 1 }]);
      } finally {
        await alone.close();
      }
    });

    it.each<[string, Record<string, unknown>, string]>([
      ['a negative number', { stock: -1 }, 'stock'],
      ['an absurd number', { stock: 1_000_000_001 }, 'stock'],
      ['no number', { stock: 'many' }, 'stock'],
      ['more than there is', { stock: 5, allotted: 6 }, 'allotted'],
      ['a negative allotment', { stock: 5, allotted: -1 }, 'allotted'],
      ['a negative limit', { stock: 5, limitPerUser: -1 }, 'limitPerUser'],
      ['no time', { stock: 5, opensAt: 'tomorrow' }, 'opensAt'],
      ['a day that does not exist', { stock: 5, closesAt: '2026-02-30T00:00:00Z' }, 'closesAt'],
      ['a time without zone', { stock: 5, opensAt: '2026-02-20T00:00:00' }, 'opensAt'],
      ['a time that in UTC is beyond the last year', { stock: 5, closesAt: '9999-12-31T23:59:59-12:00' }, 'closesAt'],
      ['a time before 1970, when no sale was', { stock: 5, opensAt: '1969-12-31T23:59:59Z' }, 'opensAt'],
      ['a time of day that does not exist', { stock: 5, closesAt: '2099-12-31T24:00:00Z' }, 'closesAt'],
      [
        'an end before the beginning',
        { stock: 5, opensAt: '2026-02-20T00:00:00Z', closesAt: '2026-02-20T00:00:00Z' },
        'closesAt',
      ],
      ['no product', { productID: 0, stock: 5 }, 'productID'],
    ])('for %s', async (_what, request, field) => {
      const productID = await newStock(1);
      const body = { productID, ...request };
      const answer = await stock.http('POST', '/setFlashSale', body);
      expect(answer).toMatchObject({ status: 400, code: 40000 });
      expect(JSON.stringify(answer)).toContain(`"field":"${field}"`);
      if (
        Object.values(request).every((value) => typeof value !== 'number' || value >= 0) &&
        request.stock !== 'many'
      ) {
        await expect(stock.grpc.setFlashSaleStock(body as never)).rejects.toMatchObject({
          code: 'INVALID_PARAMETER',
          violations: [expect.objectContaining({ field })],
        });
      }
      expect(await bookOf(productID)).toMatchObject({ stock: 1, sale_version: 0 });
    });

    it('by its branch, to calls that are not signed', async () => {
      const productID = await newStock(1);
      const change = {
        productID,
        saleID: 1,
        version: 1,
        stock: 9,
        granted: 9,
        withdrawn: 0,
        limitPerUser: 0,
        opensAtMs: 0,
        closesAtMs: 0,
        status: 1,
      };
      await expect(stock.grpc.applySale(change)).rejects.toMatchObject({ grpcStatus: 16 });
      expect((await stock.http('POST', '/applySale', change)).status).toBe(401);
      expect(await bookOf(productID)).toMatchObject({ stock: 1 });
    });

    it('by its branch, when another change came first or the units do not add up', async () => {
      const productID = await newSale(5);
      const { saleID } = counterOf(productID);
      const change = {
        productID,
        saleID,
        version: 2,
        stock: 5,
        granted: 0,
        withdrawn: 0,
        limitPerUser: 0,
        opensAtMs: 0,
        closesAtMs: 0,
        status: 1,
      };
      for (const wrong of [{ version: 1 }, { version: 3 }, { withdrawn: 6 }, { granted: 1 }, { status: 2 }]) {
        await expect(
          stock.grpc.applySale({ ...change, ...wrong }, stock.branch(randomUUID(), 'action')),
        ).rejects.toMatchObject({ grpcStatus: 10 });
      }
      expect(await bookOf(productID)).toMatchObject({ stock: 5, allotted: 5, sale_version: 1 });
    });
  });

  it('is finished by DTM when the service is killed between its steps', async () => {
    const database = stock.service.config.mysql;
    const settings = {
      MYSQL_HOST: database.host,
      MYSQL_PORT: String(database.port),
      MYSQL_USER: database.user,
      MYSQL_PASSWORD: database.password,
      MYSQL_DATABASE: database.database,
    };
    const victim = new StockProcess(settings, stock.flashSales.address, {
      http: await freePort(),
      grpc: await freePort(),
    });
    try {
      await victim.start();
      const productID = await newSale(10);
      let killed = false;
      stock.flashSales.before('withdrawUnits', async (request) => {
        if (request.productID !== productID || killed) return;
        killed = true;
        await victim.kill();
      });
      const body = { productID, stock: 10, allotted: 4 };
      await expect(call(`${victim.url}/api/v1/stock/setFlashSale`, 'POST', body)).rejects.toThrow();
      expect(await bookOf(productID)).toMatchObject({ stock: 10, allotted: 10 });
      await victim.start();
      await eventually(async () => (counterOf(productID).version === 2 ? true : undefined), 'the change', 40_000);
      expect(await unitsOf(productID)).toEqual([10, 4, 4]);
      await stock.grpc.setFlashSaleStock(body);
      expect(sagasOf(productID)).toBe(3);
    } finally {
      await victim.kill();
    }
  }, 90_000);
});
