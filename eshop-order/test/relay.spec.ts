import { newTimeID } from '@eshop/nest-service';
import { eventually } from '@eshop/nest-service/testing';
import { OrderStatus } from '../src/order/order-status.js';
import { SubmissionStore } from '../src/submission/submission.store.js';
import { PRICE, type Started, startOrder } from './service.js';
import { TcpProxy } from './tcp-proxy.js';

const request = { userID: 1, productID: 5, productCount: 1, amount: 1, couponID: 0, waitResult: false };

const accept = (store: SubmissionStore, order: { orderID: string; saleID: number }, relayAfterSeconds: number) =>
  store.accept(
    { ...request, ...order, amount: PRICE, price: PRICE, couponAmount: 0, requestID: '' },
    { relayAfterSeconds },
  );

const placed = (shop: Started, orderID: string) =>
  eventually(async () => {
    const found = await shop.orders.getByOrderID({ orderID });
    return found.state === 'placed' ? found : undefined;
  }, `order ${orderID} to be placed`);

describe('an accepted order', () => {
  it('is placed when DTM comes back, and only once', async () => {
    const grpc = await TcpProxy.to(process.env.TEST_DTM_GRPC ?? '127.0.0.1:36790');
    const http = await TcpProxy.to(process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789');
    const shop = await startOrder({ dtm: { grpc: grpc.address, http: `http://${http.address}` } });
    try {
      grpc.takeDown();
      http.takeDown();
      const { orderID, state } = await shop.orders.submit(request);
      expect(state).toBe('pending');
      expect(await shop.orders.getByOrderID({ orderID })).toMatchObject({ state: 'pending', transaction: '' });
      grpc.bringBack();
      http.bringBack();
      await placed(shop, orderID);
      expect(shop.peers.branchesOf(orderID)).toEqual(['02 stock.stockDeduct', '03 pay.create']);
    } finally {
      await shop.close();
      await grpc.close();
      await http.close();
    }
  });

  it('is placed although the service died before it could submit the saga', async () => {
    const shop = await startOrder();
    try {
      // What a service leaves behind that dies right after it has accepted.
      const orderID = newTimeID();
      const submission = {
        ...request,
        orderID,
        amount: PRICE,
        price: PRICE,
        couponAmount: 0,
        saleID: 0,
        requestID: 'r',
      };
      await shop.service.app.get(SubmissionStore).accept(submission, { relayAfterSeconds: 0 });
      const { order } = await placed(shop, orderID);
      expect(order).toMatchObject({ orderID, amount: PRICE });
    } finally {
      await shop.close();
    }
  });

  it('is placed when a branch is down for a while', async () => {
    const shop = await startOrder();
    try {
      let failures = 0;
      shop.peers.on('pay.create', () => {
        if (failures++ < 2) throw new Error('down');
        return {};
      });
      const { orderID } = await shop.orders.submit({ ...request, productID: 6 });
      await placed(shop, orderID);
      expect(failures).toBeGreaterThan(2);
    } finally {
      await shop.close();
    }
  });
});

describe('the relay', () => {
  it('shares out what is due: of many that look at once each order is given to one', async () => {
    const shop = await startOrder({ order: { relayIntervalMs: 3_600_000 } });
    try {
      const store = shop.service.app.get(SubmissionStore);
      const ids = Array.from({ length: 20 }, () => newTimeID());
      for (const orderID of ids) {
        await accept(store, { orderID, saleID: 0 }, 0);
      }
      const lots = await Promise.all(Array.from({ length: 8 }, () => store.claimDue(50)));
      expect(
        lots
          .flat()
          .map(({ orderID }) => orderID)
          .sort(),
      ).toEqual([...ids].sort());
      expect(await store.claimDue(50)).toEqual([]);
    } finally {
      await shop.close();
    }
  });

  it('does not change an outcome that is recorded', async () => {
    const shop = await startOrder({ order: { relayIntervalMs: 3_600_000 } });
    try {
      const store = shop.service.app.get(SubmissionStore);
      const orderID = newTimeID();
      await accept(store, { orderID, saleID: 0 }, 60);
      await Promise.all([
        store.finish({ orderID, saleID: 0 }, { state: 'cancelled', reason: 'first' }),
        store.finish({ orderID, saleID: 0 }, { state: 'placed' }),
      ]);
      await store.finish({ orderID, saleID: 0 }, { state: 'placed' });
      expect(await store.find(orderID)).toMatchObject({ state: 2, reason: 'first' });
    } finally {
      await shop.close();
    }
  });

  it('does not change an outcome that is recorded of an order of a flash sale, nor its row', async () => {
    const shop = await startOrder({ order: { relayIntervalMs: 3_600_000 } });
    try {
      const store = shop.service.app.get(SubmissionStore);
      const orderID = newTimeID();
      await accept(store, { orderID, saleID: 7 }, 60);
      await store.finish({ orderID, saleID: 7 }, { state: 'cancelled', reason: 'first' });
      await Promise.all([
        store.finish({ orderID, saleID: 7 }, { state: 'cancelled', reason: 'second' }),
        store.finish({ orderID, saleID: 7 }, { state: 'placed' }),
      ]);
      expect(await store.find(orderID)).toMatchObject({ state: 2, reason: 'first' });
      expect(await shop.rows('SELECT status FROM order_record WHERE order_id = ?', [orderID])).toEqual([
        { status: OrderStatus.cancelled },
      ]);
    } finally {
      await shop.close();
    }
  });
});
