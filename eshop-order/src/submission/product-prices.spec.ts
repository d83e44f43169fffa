import { ContractError } from '@eshop/proto';
import type { ListProductRequest, ProductClient } from '@eshop/proto/product';
import type { OrderConfig } from '../config.js';
import { ProductPrices } from './product-prices.js';

/** A product service that sends so many products a page at most, and what it was asked for. */
function products(most: number) {
  const pages: number[] = [];
  const list = async ({ params }: ListProductRequest) => {
    const ids = params?.columns[0]?.value.split(',').map(Number) ?? [];
    pages.push(ids.length);
    if (ids.length > most) {
      throw new ContractError('INVALID_PARAMETER', 'the page is too large', {
        violations: [{ field: 'params.limit', rule: 'page.max_bytes', description: 'ask for fewer' }],
      });
    }
    return { total: 0, products: ids.map((id) => ({ id, price: id * 10 })) };
  };
  const config = { order: { priceCacheMs: 0 } } as OrderConfig;
  return { pages, prices: new ProductPrices({ list } as unknown as ProductClient, config) };
}

const ids = Array.from({ length: 40 }, (_, index) => index + 1);

it('prices of products whose texts are too long for one page are asked for in several', async () => {
  const { pages, prices } = products(10);
  expect(await Promise.all(ids.map((id) => prices.of(id)))).toEqual(ids.map((id) => id * 10));
  expect(pages).toEqual([40, 20, 10, 10, 20, 10, 10]);
});

it('one product that is refused by itself is not asked for again', async () => {
  const { pages, prices } = products(0);
  await expect(prices.of(1)).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
  expect(pages).toEqual([1]);
});
