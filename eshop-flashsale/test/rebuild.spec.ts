import { send } from '@eshop/nest-service/testing';
import type { Book } from './books.js';
import { branch, gidOf, newProductID, type Started, startFlashSale } from './service.js';

describe('a sale that Redis has lost', () => {
  let shop: Started;
  beforeAll(async () => {
    shop = await startFlashSale();
  });
  afterAll(() => shop.close());
  afterEach(() => {
    shop.books.onRead = () => undefined;
  });

  const keysOf = (productID: number) => shop.redis.keys(`${shop.prefix}{${productID}}:*`);

  async function lose(productID: number): Promise<void> {
    const keys = await keysOf(productID);
    if (keys.length > 0) await shop.redis.del(...keys);
  }

  /** A sale of 10 units with a limit of 2: user 7 has two, user 8 has one, and all of that is lost. */
  async function lostSale(terms: Partial<Book['sale']> = {}): Promise<{ productID: number; book: Book }> {
    const productID = newProductID();
    const { saleID } = await shop.begin(productID, 10, { limitPerUser: 2, version: 4 });
    const users = [
      { userID: 7, count: 2 },
      { userID: 8, count: 1 },
    ];
    const sale = {
      ...{ id: saleID, productID, units: 10, limitPerUser: 2, opensAt: '', closesAt: '', version: 4, status: 1 },
      ...{ createdAt: '', updatedAt: '', ...terms },
    };
    const book: Book = { sale, allotted: 7, pending: 0, users };
    shop.books.of.set(productID, book);
    await lose(productID);
    return { productID, book };
  }

  const codeOfBuying = async (productID: number, userID: number) =>
    (await shop.buy({ userID, productID, amount: 1 })).body.code;

  it('is closed, and open with the right units after it was rebuilt', async () => {
    const closesAt = '2099-01-01T00:00:00.000Z';
    const { productID, book } = await lostSale({ closesAt });
    expect(await codeOfBuying(productID, 9)).toBe(40912);
    const { body } = await send('POST', `${shop.service.http}/api/v1/flashSale/sale/${productID}/rebuild`, {});
    expect(body).toMatchObject({ code: 0, data: { saleID: book.sale.id, left: 7 } });
    expect(await shop.grpc.getSale({ productID })).toMatchObject({
      ...{ state: 'running', version: 4, left: 7, reserved: 3, limitPerUser: 2, closesAt },
    });
    expect(await codeOfBuying(productID, 7)).toBe(40913);
    expect(await codeOfBuying(productID, 8)).toBe(0);
    expect(await codeOfBuying(productID, 8)).toBe(40913);
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 6, reserved: 4 });
  });

  it('is not rebuilt while orders of it are under way', async () => {
    const { productID, book } = await lostSale();
    book.pending = 2;
    await expect(shop.grpc.rebuildSale({ productID })).rejects.toMatchObject({
      ...{ code: 'CONFLICT', message: expect.stringContaining('2 orders') },
    });
    expect(await keysOf(productID)).toEqual([]);
  });

  it('is not rebuilt when it is not lost, has ended, or never was', async () => {
    const { productID, book } = await lostSale();
    await shop.grpc.rebuildSale({ productID });
    await codeOfBuying(productID, 9);
    await expect(shop.grpc.rebuildSale({ productID })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 6 });
    await lose(productID);
    book.sale.status = 2;
    await expect(shop.grpc.rebuildSale({ productID })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(shop.grpc.rebuildSale({ productID: newProductID() })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await keysOf(productID)).toEqual([]);
  });

  it('is rebuilt from books that are changed meanwhile', async () => {
    const { productID, book } = await lostSale();
    let reads = 0;
    shop.books.onRead = (asked) => {
      // The second pair of reads finds another change.
      if (asked === productID && ++reads === 3)
        Object.assign(book, { allotted: 5, sale: { ...book.sale, units: 8, version: 5 } });
    };
    expect(await shop.grpc.rebuildSale({ productID })).toMatchObject({ left: 5 });
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 5, reserved: 3, version: 5 });
  });

  it('stays closed when its books are changed all the time', async () => {
    const { productID, book } = await lostSale();
    shop.books.onRead = (asked) => {
      if (asked === productID) book.sale.version++;
    };
    await expect(shop.grpc.rebuildSale({ productID })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await codeOfBuying(productID, 9)).toBe(40912);
    expect((await shop.grpc.getSale({ productID })).state).toBe('rebuilding');
    shop.books.onRead = () => undefined;
    expect(await shop.grpc.rebuildSale({ productID })).toMatchObject({ left: 7 });
    expect(await codeOfBuying(productID, 9)).toBe(0);
  });

  it('once, by many at a time', async () => {
    const { productID } = await lostSale();
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => shop.grpc.rebuildSale({ productID })));
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ state: 'running', left: 7, reserved: 3 });
  });

  it('agrees with the books when it is lost and rebuilt in the middle of a change', async () => {
    const { productID, book } = await lostSale();
    await shop.grpc.rebuildSale({ productID });
    const { id: saleID } = book.sale;
    const gid = gidOf(productID);
    const withdrawal = { productID, saleID, version: 5, units: 3 };
    await shop.grpc.withdrawUnits(withdrawal, branch({ gid, branchId: '01' }));
    await lose(productID);
    await shop.grpc.rebuildSale({ productID });
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 7 });
    const change = {
      ...{ productID, saleID, version: 5, units: 0, withdrawn: 3, limitPerUser: 2, opensAtMs: 0, closesAtMs: 0 },
      ...{ status: 1, begins: 0 },
    };
    await shop.grpc.grantUnits(change, branch({ gid, branchId: '03' }));
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 4, version: 5 });
  });

  it('does not get back what was withdrawn from it before it was lost', async () => {
    const { productID, book } = await lostSale();
    await shop.grpc.rebuildSale({ productID });
    const gid = gidOf(productID);
    const withdrawal = { productID, saleID: book.sale.id, version: 5, units: 3 };
    await shop.grpc.withdrawUnits(withdrawal, branch({ gid }));
    await lose(productID);
    await shop.grpc.rebuildSale({ productID });
    const next = branch({ gid: gidOf(productID) });
    await shop.grpc.withdrawUnits({ ...withdrawal, units: 2 }, next);
    await shop.grpc.withdrawUnitsRevert(withdrawal, branch({ gid, op: 'compensate' }));
    expect(await shop.grpc.getSale({ productID })).toMatchObject({ left: 5, version: 4 });
  });
});
