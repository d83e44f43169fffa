import { type Answer, type HttpClient, isOk } from './http-client.ts';

export interface GoodsOptions {
  products: number;
  stockPerProduct: number;
  /** Unit price, cents. */
  price: number;
}

const AT_ONCE = 16;

/**
 * Puts new products with stock on sale through the gateway, so that a run shares no rows with others. Returns their ids.
 * @throws Error with the gateway's answer when it refuses
 */
export async function createGoods(
  client: HttpClient,
  { products, stockPerProduct, price }: GoodsOptions,
): Promise<number[]> {
  const ids: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < products) {
      const name = `load ${++next}`;
      const product = { name, price, photo: '', description: 'made by a load test' };
      const { id } = accepted('product', await client.post('/api/v1/product', JSON.stringify(product)));
      const productID = Number(id);
      accepted('stock', await client.post('/api/v1/stock', JSON.stringify({ productID, stock: stockPerProduct })));
      ids.push(productID);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, products) }, worker));
  return ids;
}

/**
 * Gives a product so many units, all or some of them for its flash sale.
 * @throws Error with the gateway's answer when it refuses
 */
export async function setSale(
  client: HttpClient,
  productID: number,
  stock: number,
  allotted: number = stock,
): Promise<void> {
  accepted('sale', await client.post('/api/v1/stock/setFlashSale', JSON.stringify({ productID, stock, allotted })));
}

function accepted(what: string, answer: Answer): Record<string, unknown> {
  if (isOk(answer)) return answer.data;
  throw new Error(`the gateway did not make the ${what}: ${answer.status} ${answer.code} ${answer.msg}`);
}
