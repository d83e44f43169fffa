import type { Progress } from '../base/progress.ts';
import { waitFor } from '../base/wait.ts';
import type { Context } from '../context.ts';
import { expect, money } from './expect.ts';
import { flashSaleDemo } from './flash-sale-demo.ts';
import { seed } from './seed.ts';
import { type Branch, type FoundOrder, ShopClient } from './shop-client.ts';

const PRICE = 2_500;
const COUPON = 300;
const COUNT = 2;
const STOCK = 1_000;

interface Goods {
  userID: number;
  productID: number;
  couponID: number;
}

/** The demo's user and product are made once; each demo makes a coupon of its own. */
async function goodsOf(shop: ShopClient): Promise<Goods> {
  const email = 'ada@demo.example';
  const name = 'Demo cup';
  const userID = (await shop.findUser(email)) ?? (await shop.createUser(email));
  const productID = (await shop.findProduct(name)) ?? (await shop.createProduct(name, PRICE));
  if ((await shop.unitsOf(productID)) === undefined) await shop.createStock(productID, STOCK);
  return { userID, productID, couponID: await shop.createCoupon(userID, COUPON) };
}

/** `127.0.0.1:30382/api.stock.v1.stock/StockDeduct` → `stock.StockDeduct`. */
function shortName(url: string): string {
  const [service = '', method = ''] = url.split('/').slice(-2);
  return `${service.split('.').at(-1)}.${method}`;
}

/** The calls in the order in which they happened: actions onwards, compensations backwards. */
function branchLines(branches: readonly Branch[]): string[] {
  const actions = branches.filter(({ op }) => op === 'action');
  const compensations = branches.filter(({ op, status }) => op === 'compensate' && status !== 'prepared').reverse();
  return [...actions, ...compensations].map(({ branch_id, op, status, url }) => {
    const shown = status === 'prepared' ? 'not called' : status;
    return `    ${branch_id} ${op.padEnd(10)} ${shown.padEnd(10)} ${shortName(url)}`;
  });
}

/** Places an order, waits until all is final, shows it. */
async function placeOrder(shop: ShopClient, progress: Progress, order: Record<string, unknown>) {
  const say = (text: string) => progress.say(text);
  const productID = Number(order.productID);
  const before = (await shop.unitsOf(productID)) ?? 0;
  say(`  POST /api/v1/order/submit ${JSON.stringify(order)}`);
  const { orderID, state, reason } = await shop.submit(order);
  say(`    → orderID ${orderID}, state ${state}${reason ? `, reason ${reason}` : ''}`);
  const found: FoundOrder = await waitFor(
    `order ${orderID} is final`,
    async () => {
      const now = await shop.findOrder(orderID);
      if (now.state === 'pending') throw new Error(`it is ${now.state}, its saga ${now.transaction}`);
      return now;
    },
    { timeoutMs: 30_000 },
  );
  const saga = await waitFor(
    `the saga ${orderID} is final`,
    async () => {
      const now = await shop.saga(orderID);
      if (!['succeed', 'failed'].includes(now.status)) throw new Error(`it is ${now.status}`);
      return now;
    },
    { timeoutMs: 30_000 },
  );
  say(`  saga ${saga.status}`);
  for (const line of branchLines(saga.branches)) say(line);
  const after = (await shop.unitsOf(productID)) ?? 0;
  say(`  stock ${before} → ${after}`);
  const pay = found.pay ? `, payment of ${money(found.pay.amount)} (status ${found.pay.status})` : ', no payment';
  say(`  GET /api/v1/order/${orderID} → ${found.state}${found.reason ? ` (${found.reason})` : ''}${pay}`);
  return { found, saga, before, after };
}

/** Seeds what is missing; places an order that succeeds and one that rolls back; holds a flash sale; checks all of it. */
export async function runDemo(context: Context, progress: Progress): Promise<void> {
  const shop = new ShopClient(context);
  await progress.step('example data', () => seed(context));
  const goods = await progress.step('demo data', () => goodsOf(shop));

  progress.title(`\nAn order for ${COUNT} units at ${money(PRICE)} with a coupon of ${money(COUPON)}`);
  const good = await placeOrder(shop, progress, {
    ...goods,
    productCount: COUNT,
    amount: COUNT * PRICE,
    waitResult: true,
  });
  expect(good.found.state === 'placed', `the order is ${good.found.state}, not placed`);
  expect(good.saga.status === 'succeed', `its saga is ${good.saga.status}`);
  expect(good.before - good.after === COUNT, `the stock went from ${good.before} to ${good.after}`);
  expect(good.found.pay?.amount === COUNT * PRICE - COUPON, `the payment is ${good.found.pay?.amount} cents`);
  expect((await shop.couponStatus(goods.couponID)) === 2, 'the coupon is not used');

  const tooMany = good.after + 1;
  progress.title(`\nAn order for ${tooMany} units, one more than there are`);
  const bad = await placeOrder(shop, progress, {
    userID: goods.userID,
    productID: goods.productID,
    productCount: tooMany,
    amount: PRICE,
    waitResult: true,
  });
  expect(bad.found.state === 'cancelled', `the order is ${bad.found.state}, not cancelled`);
  expect(bad.saga.status === 'failed', `its saga is ${bad.saga.status}`);
  expect(bad.before === bad.after, `the stock went from ${bad.before} to ${bad.after}`);
  expect(!bad.found.pay || bad.found.pay.status === 4, 'there is a payment');

  await flashSaleDemo(shop, progress);
  progress.say();
}
