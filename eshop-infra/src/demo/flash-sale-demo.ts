import type { Progress } from '../base/progress.ts';
import { waitFor } from '../base/wait.ts';
import { expect, money } from './expect.ts';
import type { FoundOrder, ShopClient } from './shop-client.ts';

const BUYERS = 20;
const UNITS = 5;
const PRICE = 1_200;
const FIRST_BUYER = 1_001;
const NAME = 'Demo teapot';
const SOLD_OUT = '40911';
const FINAL_MS = 60_000;

/** Sells a few units to many buyers who come at once, and shows who got one, the orders that followed, and the books. */
export async function flashSaleDemo(shop: ShopClient, progress: Progress): Promise<void> {
  const say = (text: string) => progress.say(text);
  const productID = (await shop.findProduct(NAME)) ?? (await shop.createProduct(NAME, PRICE));
  if ((await shop.unitsOf(productID)) === undefined) await shop.createStock(productID, 0);
  // a new sale each time: who bought in the one before may buy again
  await shop.setFlashSale({ productID, stock: UNITS, allotted: 0 });

  progress.title(`\nA flash sale: ${BUYERS} buyers for ${UNITS} units, one each`);
  const sale = { productID, stock: UNITS, allotted: UNITS, limitPerUser: 1 };
  say(`  POST /api/v1/stock/setFlashSale ${JSON.stringify(sale)}`);
  await shop.setFlashSale(sale);
  say(`  ${BUYERS} × POST /api/v1/flashSale {"userID":…,"productID":${productID},"amount":${PRICE}}, all at once`);
  const buyers = Array.from({ length: BUYERS }, (_, number) => FIRST_BUYER + number);
  const answers = await Promise.all(buyers.map((userID) => shop.buy({ userID, productID, amount: PRICE })));
  const orders = answers.flatMap(({ orderID }, number) => (orderID ? [{ orderID, userID: buyers[number] ?? 0 }] : []));
  const soldOut = answers.filter(({ refused }) => refused === SOLD_OUT).length;
  say(`    → ${orders.length} got a unit, ${soldOut} were told that it is sold out`);

  for (const { orderID, userID } of orders) {
    const found = await finalOrder(shop, orderID);
    const pay = found.pay ? `, payment of ${money(found.pay.amount)}` : '';
    say(`    user ${userID}: order ${orderID} ${found.state}${pay}`);
    expect(found.state === 'placed', `order ${orderID} is ${found.state}, not placed`);
  }
  const again = await shop.buy({ userID: orders[0]?.userID ?? FIRST_BUYER, productID, amount: PRICE });
  say(`    one of them again → refused with ${again.refused ?? 'nothing'}`);

  const [books, counter] = [await shop.saleBooks(productID), await shop.saleCounter(productID)];
  const { units } = books.flashSale;
  say(`  books: ${units} allotted = ${counter.left} left + ${counter.reserved} in orders; ${books.stock} in stock`);
  expect(orders.length === UNITS, `${orders.length} buyers got a unit`);
  expect(soldOut === BUYERS - UNITS, `${soldOut} were told that it is sold out`);
  expect(again.refused !== undefined, 'a buyer got a second unit');
  expect(units === counter.left + counter.reserved, 'the books of the sale do not agree');
  expect(
    books.stock === 0 && books.allotted === 0,
    `${books.stock} units are in stock, ${books.allotted} of them allotted`,
  );
}

function finalOrder(shop: ShopClient, orderID: string): Promise<FoundOrder> {
  return waitFor(
    `order ${orderID} is final`,
    async () => {
      const found = await shop.findOrder(orderID);
      if (found.state === 'queued' || found.state === 'pending') throw new Error(`it is ${found.state}`);
      return found;
    },
    { timeoutMs: FINAL_MS },
  );
}
