import { apartFromReply, InjectConfig } from '@eshop/nest-service';
import { isPageTooLarge } from '@eshop/nest-service/mysql';
import { ContractError } from '@eshop/proto';
import { ProductClient } from '@eshop/proto/product';
import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import type { OrderConfig } from '../config.js';
import { PriceMemory } from './price-memory.js';

const AT_ONCE = 100;

/**
 * Unit prices, in cents. While the product service answers one look-up, the next ones gather and go as one: a lone look-up
 * never waits, and many together cost one call. A call takes along the prices that would have to be asked for next, so that a
 * shop of a thousand products asks a few times a second, not once for every other order.
 */
@Injectable()
export class ProductPrices {
  private readonly memory: PriceMemory | undefined;
  private readonly loader: DataLoader<number, number>;
  private asking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly products: ProductClient,
    @InjectConfig() { order: { priceCacheMs } }: OrderConfig,
  ) {
    if (priceCacheMs > 0) this.memory = new PriceMemory(priceCacheMs);
    this.loader = new DataLoader((ids) => this.ask(ids), {
      // With a memory, who wants a price that is being asked for waits for that answer.
      cache: this.memory !== undefined,
      maxBatchSize: AT_ONCE,
      batchScheduleFn: (dispatch) => void this.asking.then(dispatch),
    });
  }

  /** Throws PRODUCT_NOT_FOUND, or what the call to the product service threw. */
  async of(productID: number): Promise<number> {
    return this.memory?.recall(productID) ?? this.loader.load(productID);
  }

  private ask(productIDs: readonly number[]): Promise<(number | Error)[]> {
    const answer = this.answerTo(productIDs);
    // One look-up's failure must not keep the next from starting.
    this.asking = answer.catch(() => undefined);
    return answer;
  }

  private async answerTo(wanted: readonly number[]): Promise<(number | Error)[]> {
    try {
      const asked = new Set([...wanted, ...(this.memory?.dueSoon(AT_ONCE - wanted.length) ?? [])]);
      const prices = await this.priceList([...asked]);
      for (const id of asked) this.memory?.learn(id, prices.get(id));
      return wanted.map(
        (id) => prices.get(id) ?? new ContractError('PRODUCT_NOT_FOUND', `product ${id} does not exist`),
      );
    } finally {
      for (const id of wanted) this.loader.clear(id);
    }
  }

  /** In two halves where the products' texts are too long for one page. */
  private async priceList(productIDs: readonly number[]): Promise<Map<number, number>> {
    try {
      return await this.page(productIDs);
    } catch (error) {
      if (productIDs.length < 2 || !isPageTooLarge(error)) throw error;
      const half = Math.ceil(productIDs.length / 2);
      const first = await this.priceList(productIDs.slice(0, half));
      return new Map([...first, ...(await this.priceList(productIDs.slice(half)))]);
    }
  }

  private async page(productIDs: readonly number[]): Promise<Map<number, number>> {
    const { products } = await apartFromReply(() =>
      this.products.list({
        params: {
          page: 0,
          limit: productIDs.length,
          sort: 'ignore count',
          columns: [{ name: 'id', exp: 'in', value: productIDs.join(','), logic: '' }],
        },
      }),
    );
    return new Map(products.map(({ id, price }) => [id, price]));
  }
}
