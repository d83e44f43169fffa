/** Queued orders: k6 run --vus 1000 --duration 10s submitOrder.js. With DIRECT=1 each is submitted without the queue. */
import { group } from 'k6';
import { post, productID, userID } from './shop.js';

const order = { userID, productID, productCount: 1, couponID: 0 };

export default function submitOrder() {
  if (__ENV.DIRECT === '1') {
    group('test submit order', () => post('/api/v1/order/submit', { ...order, amount: 87 }));
  } else {
    group('test submit order notify', () => post('/api/v1/order/sendSubmitNotify', { ...order, amount: 88 }));
  }
}
