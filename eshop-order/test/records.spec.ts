import { type Started, startOrder } from './service.js';

const UNKNOWN = 9_007_199_254_740_991;

describe('order rows, as people manage them', () => {
  let shop: Started;
  beforeAll(async () => {
    shop = await startOrder();
  });
  afterAll(() => shop.close());

  async function placed(): Promise<number> {
    const request = { userID: 1, productID: 5, productCount: 1, amount: 1, couponID: 0, waitResult: true };
    const { orderID } = await shop.orders.submit(request);
    const { order } = await shop.orders.getByOrderID({ orderID });
    if (!order) throw new Error('no order row');
    return order.id;
  }

  it('go from payment to completion one step at a time', async () => {
    const id = await placed();
    await expect(shop.orders.updateByID({ id, status: 3 })).rejects.toMatchObject({ code: 'ILLEGAL_STATUS' });
    for (const status of [2, 3, 4]) await shop.orders.updateByID({ id, status });
    await expect(shop.orders.updateByID({ id, status: 5 })).rejects.toMatchObject({ code: 'ILLEGAL_STATUS' });
    expect((await shop.orders.getByID({ id })).order?.status).toBe(4);
  });

  it('keep their terms', async () => {
    const id = await placed();
    for (const change of [{ userID: 2 }, { productID: 6 }, { productCount: 9 }, { amount: 1 }, { couponID: 3 }]) {
      await expect(shop.orders.updateByID({ id, ...change })).rejects.toMatchObject({ code: 'FIELD_IMMUTABLE' });
    }
    expect((await shop.orders.getByID({ id })).order).toMatchObject({ userID: 1, productID: 5, productCount: 1 });
  });

  it('cannot be deleted while the order lives', async () => {
    const id = await placed();
    await expect(shop.orders.deleteByID({ id })).rejects.toMatchObject({ code: 'IN_USE' });
  });

  it('that are unknown are not found', async () => {
    await expect(shop.orders.getByID({ id: UNKNOWN })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    await expect(shop.orders.updateByID({ id: UNKNOWN, status: 2 })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    await expect(shop.orders.deleteByID({ id: UNKNOWN })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
  });
});
