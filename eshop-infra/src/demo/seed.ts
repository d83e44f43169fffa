import { waitFor } from '../base/wait.ts';
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
 * What the examples of the documentation speak of. On new databases the first rows get the ids that the examples name:
 * users 1 and 2, products 1 to 4, stock of products 1, 3 and 4, sales of products 1 and 4, coupons 1 and 2, order 1, which is
 * placed, and order 2, which is cancelled. On a system that was seeded before, everything is left as it is.
 */
export async function seed(context: Context): Promise<void> {
  const shop = new ShopClient(context);
  for (const email of ['ada@demo.example', 'alan@demo.example']) {
    if ((await shop.findUser(email)) === undefined) await shop.createUser(email);
  }
  for (const grams of [100, 250, 500, 1000]) {
    const name = `Demo tea, ${grams} g`;
    if ((await shop.findProduct(name)) === undefined) await shop.createProduct(name, PRICE);
  }
  if ((await shop.unitsOf(1)) !== undefined) return;
  for (const productID of [1, 3, 4]) await shop.createStock(productID, STOCK);
  for (const productID of [1, 4]) await shop.setFlashSale({ productID, stock: STOCK, allotted: IN_SALE });
  for (const userID of [1, 2]) await shop.createCoupon(userID, PRICE / 2);
  await placeExample(context);
  await waitFor('the example order', () => placed(shop), { timeoutMs: 60_000 });
  await shop.submit({ userID: 1, productID: 3, productCount: STOCK + 1, amount: PRICE, waitResult: true });
}

/** Throws while the order is not placed. */
async function placed(shop: ShopClient): Promise<void> {
  const { state } = await shop.findOrder(exampleOrderID);
  if (state !== 'placed') throw new Error(`it is ${state}`);
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
