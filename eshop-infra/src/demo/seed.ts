import type { Context } from '../context.ts';
import { kafkaClient } from '../kafka/client.ts';
import { orderTopic } from '../kafka/topics.ts';
import { ShopClient } from './shop-client.ts';

/** The order that the contract shows as an example. */
export const exampleOrderID = '20260102030405678901234567';

const PRICE = 100;
const STOCK = 10_000;
const IN_SALE = 1_000;
const KAFKA_RETRIES = 5;

/**
 * What the examples of the documentation speak of: user 1, product 1 with stock and a flash sale, product 2 with stock, product
 * 3 without, coupon 1 of user 1, and an order. On new databases the first rows get these ids; what is there is left as it is.
 */
export async function seed(context: Context): Promise<void> {
  const shop = new ShopClient(context);
  if (!(await shop.has('user', 1))) await shop.createUser('ada@demo.example');
  if (!(await shop.has('product', 1))) await shop.createProduct('Demo tea, 100 g', PRICE);
  if (!(await shop.has('product', 2))) await shop.createProduct('Demo tea, 1 kg', 9 * PRICE);
  if (!(await shop.has('product', 3))) await shop.createProduct('Demo tea, 5 kg', 40 * PRICE);
  if (!(await shop.has('coupon', 1))) await shop.createCoupon(1, PRICE / 2);
  if ((await shop.unitsOf(2)) === undefined) await shop.createStock(2, STOCK);
  if ((await shop.unitsOf(1)) === undefined) {
    await shop.createStock(1, STOCK);
    await shop.setFlashSale({ productID: 1, stock: STOCK, allotted: IN_SALE });
    await placeExample(context);
  }
}

/** The queue takes an order with an id that is given; the same record again is the same order. */
async function placeExample({ ports }: Context): Promise<void> {
  const order = { userID: 1, productID: 1, productCount: 1, amount: PRICE, couponID: 0, orderID: exampleOrderID };
  const producer = kafkaClient(ports, KAFKA_RETRIES).producer({ idempotent: true, allowAutoTopicCreation: false });
  try {
    await producer.connect();
    const value = JSON.stringify({ ...order, saleID: 0 });
    const headers = { 'order-id': exampleOrderID, 'request-id': 'eshop-seed', source: 'submit' };
    await producer.send({ topic: orderTopic, acks: -1, messages: [{ key: exampleOrderID, value, headers }] });
  } finally {
    await producer.disconnect();
  }
}
