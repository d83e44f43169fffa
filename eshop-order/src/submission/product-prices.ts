import { InjectConfig } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import { ProductClient } from '@eshop/proto/product';
import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import type { OrderConfig } from '../config.js';

const CACHED_PRODUCTS = 10_000;
const AT_ONCE = 100;

/**
 * Unit prices, in cents. While the product service answers one look-up, the next ones gather and go as one: a lone look-up
 * never waits, and many together cost one call.
 */
@Injectable()
export class ProductPrices {
  private readonly cache: LRUCache<number, number> | undefined;
  private readonly loader: DataLoader<number, number>;
  private asking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly products: ProductClient,
    @InjectConfig() config: OrderConfig,
  ) {
    this.loader = new DataLoader((ids) => this.ask(ids), {
      cache: false,
      maxBatchSize: AT_ONCE,
      batchScheduleFn: (dispatch) => void this.asking.then(dispatch),
    });
    const ttl = config.order.priceCacheMs;
    if (ttl > 0) {
      this.cache = new LRUCache({ max: CACHED_PRODUCTS, ttl, fetchMethod: (productID) => this.loader.load(productID) });
    }
  }

  /** Throws PRODUCT_NOT_FOUND, or what the call to the product service threw. */
  async of(productID: number): Promise<number> {
    return (await this.cache?.fetch(productID)) ?? this.loader.load(productID);
  }

  private ask(productIDs: readonly number[]): Promise<(number | Error)[]> {
    const answer = this.priceList(productIDs);
    // One look-up's failure must not keep the next from starting.
    this.asking = answer.catch(() => undefined);
    return answer;
  }

  private async priceList(productIDs: readonly number[]): Promise<(number | Error)[]> {
    const value = productIDs.join(',');
    const { products } = await this.products.list({
      params: {
        page: 0,
        limit: productIDs.length,
        sort: 'ignore count',
        columns: [{ name: 'id', exp: 'in', value, logic: '' }],
      },
    });
    const prices = new Map(products.map(({ id, price }) => [id, price]));
    return productIDs.map(
      (id) => prices.get(id) ?? new ContractError('PRODUCT_NOT_FOUND', `product ${id} does not exist`),
    );
  }
}
