import { Command, InvalidArgumentError } from 'commander';
import { table } from '../audit/report.ts';
import { ask, Refused } from '../base/ask.ts';
import type { Ports } from '../ports.ts';

interface FlashSaleContext {
  ports: Pick<Ports, 'flashsaleHttp' | 'stockHttp'>;
}

/** The sale in the stock service's books. */
interface Books {
  flashSale: { id: number; units: number; limitPerUser: number; status: number; version: number };
  stock: number;
  allotted: number;
}

/** The sale at its counter in Redis. */
interface Counter {
  state: string;
  saleID: number;
  version: number;
  left: number;
  reserved: number;
  limitPerUser: number;
  opensAt: string;
  closesAt: string;
}

/** `eshop flash-sale …`: looks at a sale from both sides, and opens one again that Redis has lost. */
export function flashSaleCommand(context: FlashSaleContext): Command {
  const counterUrl = (productID: number) =>
    `http://127.0.0.1:${context.ports.flashsaleHttp}/api/v1/flashSale/sale/${productID}`;
  const show = new Command('show')
    .description("a product's sale in the books of stock and at its counter in Redis")
    .argument('<product>', 'product id', productId)
    .action(async (productID: number) => {
      const url = `http://127.0.0.1:${context.ports.stockHttp}/api/v1/stock/flashSale/${productID}`;
      const books = await ask<Books>('GET', url).catch((error: unknown) => {
        if (error instanceof Refused && error.status === 404) return undefined;
        throw error;
      });
      const counter = await ask<Counter>('GET', counterUrl(productID));
      console.log(saleText(productID, books, counter));
    });
  const rebuild = new Command('rebuild')
    .description('open a sale again whose counter Redis has lost, from the books of stock and order')
    .argument('<product>', 'product id', productId)
    .action(async (productID: number) => {
      const sale = await ask<{ saleID: number; left: number }>('POST', `${counterUrl(productID)}/rebuild`, {});
      console.log(`sale ${sale.saleID} of product ${productID} is open again: ${sale.left} units are left`);
    });
  return new Command('flash-sale')
    .description('look at a flash sale, or rebuild it after Redis has lost its data')
    .addCommand(show)
    .addCommand(rebuild);
}

/** Both sides of a sale, for a person. */
export function saleText(productID: number, books: Books | undefined, counter: Counter): string {
  if (!books) return `product ${productID} has no flash sale`;
  const { flashSale, stock, allotted } = books;
  const lines = [
    `flash sale ${flashSale.id} of product ${productID}, ${flashSale.status === 1 ? 'running' : 'ended'}`,
    ...table([
      ['books', ''],
      ['  allotted over its life', flashSale.units],
      ['  of them in stock still', allotted],
      ['  units of the product', stock],
      ['  limit per user', flashSale.limitPerUser || 'none'],
      ['counter', counter.state],
      ['  left', counter.left],
      ['  held by orders', counter.reserved],
      ['  opens', counter.opensAt || 'at once'],
      ['  closes', counter.closesAt || 'never'],
    ]),
  ];
  if (flashSale.status === 1 && counter.state !== 'running') {
    lines.push(`Nobody can buy. When no order of it is under way: eshop flash-sale rebuild ${productID}`);
  }
  return lines.join('\n');
}

function productId(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a product id: a whole number above 0.');
}
