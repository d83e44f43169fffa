import { type Answer, call, expectOk } from './http.ts';
import { newProduct, newUserID } from './shop.ts';
import { gateway, service } from './system.ts';

/** The contract's codes of a purchase that is refused. */
export const refusals = { soldOut: 40_911, notOpen: 40_912, limitReached: 40_913, lost: 40_915 } as const;

export interface SaleTerms {
  stock: number;
  allotted?: number;
  limitPerUser?: number;
  opensAt?: string;
  closesAt?: string;
}

/** Sets a product's units and its sale, whatever comes of it. */
export const setSale = (productID: number, terms: SaleTerms): Promise<Answer> =>
  call('POST', `${gateway()}/api/v1/stock/setFlashSale`, { productID, ...terms });

/** A new product with a sale; returns its id. */
export async function newSale(terms: SaleTerms, price = 500): Promise<number> {
  const productID = await newProduct({ price, stock: 0 });
  await expectOk(setSale(productID, terms));
  return productID;
}

/** Buys one unit at the gateway, whatever comes of it. */
export function buy(
  productID: number,
  { userID = newUserID(), headers = {} }: { userID?: number; headers?: Record<string, string> } = {},
): Promise<Answer<{ orderID: string }>> {
  return call('POST', `${gateway()}/api/v1/flashSale`, { userID, productID, amount: 1 }, headers);
}

/** The sale at its counter in Redis. */
export const counterOf = (
  productID: number,
): Promise<{ state: string; saleID: number; left: number; reserved: number }> =>
  expectOk(call('GET', `${service('flashsale')}/api/v1/flashSale/sale/${productID}`));

/** The sale in the stock service's books. */
export const booksOf = (
  productID: number,
): Promise<{ stock: number; allotted: number; flashSale: { units: number } }> =>
  expectOk(call('GET', `${service('stock')}/api/v1/stock/flashSale/${productID}`));
