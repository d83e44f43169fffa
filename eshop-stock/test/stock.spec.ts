import { randomInt, randomUUID } from 'node:crypto';
import { type Started, startStock } from './service.js';

const UNKNOWN = 9_007_199_254_740_991;
const newProductID = () => randomInt(1, 2 ** 40);

describe('stock', () => {
  let stock: Started;
  beforeAll(async () => {
    stock = await startStock();
  });
  afterAll(() => stock.close());

  async function newStock(units: number) {
    const productID = newProductID();
    const { id } = await stock.grpc.create({ productID, stock: units });
    return { id, productID };
  }

  const unitsOf = async (id: number) => (await stock.grpc.getByID({ id })).stock?.stock;

  async function initialOf(id: number): Promise<number> {
    const rows = (await stock.service.database?.query('SELECT initial FROM stock WHERE id = ?', [id])) as {
      initial: number;
    }[];
    return rows[0]?.initial ?? -1;
  }

  describe('as people manage it', () => {
    it('is created, read, set to 0 and deleted', async () => {
      const { id, productID } = await newStock(7);
      expect((await stock.grpc.getByID({ id })).stock).toMatchObject({ id, productID, stock: 7 });
      await stock.grpc.updateByID({ id, stock: 0 });
      expect(await unitsOf(id)).toBe(0);
      await stock.grpc.deleteByID({ id });
      await expect(stock.grpc.getByID({ id })).rejects.toMatchObject({ code: 'STOCK_NOT_FOUND' });
    });

    it('exists once a product', async () => {
      const { productID } = await newStock(1);
      await expect(stock.grpc.create({ productID, stock: 1 })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    });

    it('that is unknown is not found, by whatever call', async () => {
      for (const call of [
        () => stock.grpc.getByID({ id: UNKNOWN }),
        () => stock.grpc.updateByID({ id: UNKNOWN, stock: 1 }),
        () => stock.grpc.deleteByID({ id: UNKNOWN }),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'STOCK_NOT_FOUND' });
      }
    });

    it('keeps the units ever supplied in step when it is set by hand', async () => {
      const { id, productID } = await newStock(10);
      await stock.grpc.stockDeduct({ productID, productCount: 4, saleID: 0 }, stock.branch(randomUUID(), 'action'));
      await stock.grpc.updateByID({ id, stock: 100 });
      expect([await unitsOf(id), await initialOf(id)]).toEqual([100, 104]);
    });

    it('cannot go to another product, nor go away, while units of it are in orders', async () => {
      const { id, productID } = await newStock(10);
      await stock.grpc.stockDeduct({ productID, productCount: 1, saleID: 0 }, stock.branch(randomUUID(), 'action'));
      await expect(stock.grpc.updateByID({ id, productID: newProductID() })).rejects.toMatchObject({
        code: 'FIELD_IMMUTABLE',
      });
      await expect(stock.grpc.deleteByID({ id })).rejects.toMatchObject({ code: 'IN_USE' });
      expect(await unitsOf(id)).toBe(9);
    });
  });

  describe('as sagas take it', () => {
    it('is deducted once, however often DTM asks', async () => {
      const { id, productID } = await newStock(10);
      const call = stock.branch(randomUUID(), 'action');
      await Promise.all(
        Array.from({ length: 20 }, () => stock.grpc.stockDeduct({ productID, productCount: 3, saleID: 0 }, call)),
      );
      expect(await unitsOf(id)).toBe(7);
    });

    it('is refused when there is not enough, and then compensated without effect', async () => {
      const { id, productID } = await newStock(2);
      const gid = randomUUID();
      const request = { productID, productCount: 3, saleID: 0 };
      await expect(stock.grpc.stockDeduct(request, stock.branch(gid, 'action'))).rejects.toMatchObject({
        grpcStatus: 10,
      });
      await stock.grpc.stockDeductRevert(request, stock.branch(gid, 'compensate'));
      expect(await unitsOf(id)).toBe(2);
    });

    it('is given back once', async () => {
      const { id, productID } = await newStock(10);
      const gid = randomUUID();
      const request = { productID, productCount: 4, saleID: 0 };
      await stock.grpc.stockDeduct(request, stock.branch(gid, 'action'));
      for (let i = 0; i < 3; i++) await stock.grpc.stockDeductRevert(request, stock.branch(gid, 'compensate'));
      expect([await unitsOf(id), await initialOf(id)]).toEqual([10, 10]);
    });

    it('is not taken by an action that comes after its compensation', async () => {
      const { id, productID } = await newStock(10);
      const gid = randomUUID();
      const request = { productID, productCount: 4, saleID: 0 };
      await stock.grpc.stockDeductRevert(request, stock.branch(gid, 'compensate'));
      await expect(stock.grpc.stockDeduct(request, stock.branch(gid, 'action'))).rejects.toMatchObject({
        grpcStatus: 10,
      });
      expect(await unitsOf(id)).toBe(10);
    });

    it('goes to as many of 60 parallel orders as there are units', async () => {
      const { id, productID } = await newStock(25);
      const results = await Promise.allSettled(
        Array.from({ length: 60 }, () =>
          stock.grpc.stockDeduct({ productID, productCount: 1, saleID: 0 }, stock.branch(randomUUID(), 'action')),
        ),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(25);
      expect(await unitsOf(id)).toBe(0);
    });

    it('is not touched by calls without a valid signature, on either transport', async () => {
      const { id, productID } = await newStock(10);
      const request = { productID, productCount: 1, saleID: 0 };
      await expect(stock.grpc.stockDeduct(request)).rejects.toMatchObject({ grpcStatus: 16 });
      const foreign = stock.signedDeduct(randomUUID(), request);
      const stolen = { metadata: { ...foreign.metadata, 'dtm-gid': randomUUID() } };
      await expect(stock.grpc.stockDeduct(request, stolen)).rejects.toMatchObject({ grpcStatus: 16 });
      const query = `?gid=${randomUUID()}&trans_type=saga&branch_id=02&op=action`;
      for (const path of ['/deduct', '/deductRevert', `/deduct${query}`, `/deductRevert${query}`]) {
        expect(await stock.http('POST', path, request)).toMatchObject({ status: 401, data: {} });
      }
      expect(await unitsOf(id)).toBe(10);
    });

    it('is refused for an invalid payload: DTM must not repeat it for ever', async () => {
      const call = stock.branch(randomUUID(), 'action');
      await expect(stock.grpc.stockDeduct({ productID: 0, productCount: 1, saleID: 0 }, call)).rejects.toMatchObject({
        grpcStatus: 10,
      });
    });
  });
});
