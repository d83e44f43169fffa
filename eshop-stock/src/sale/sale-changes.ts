import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DtmService, DtmUnavailable, type SubmitResult } from '@eshop/nest-dtm';
import { requestContext } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import { FlashSaleClient, FlashSaleService, type GetSaleReply } from '@eshop/proto/flashsale';
import { type ApplySaleRequest, StockService } from '@eshop/proto/stock';
import { Injectable } from '@nestjs/common';
import { SaleStatus } from './flash-sale.entity.js';
import { type SaleBook, SaleBooks } from './sale-books.js';
import type { SaleTerms } from './sale-terms.js';

/** What is to be so afterwards. */
export interface SaleTarget {
  /** Units of the product; undefined = as many as before. */
  readonly stock?: number | undefined;
  /** Units of these that belong to the sale. */
  readonly allotted: number;
  /** Whether the sale is to be over; then nothing is allotted. */
  readonly ended: boolean;
  readonly terms: SaleTerms;
}

/** How often a change is planned anew when another one, or orders, came in between; and the first pause, ms, which doubles. */
const TRIES = 6;
const PAUSE_MS = 25;
/** First pause of DTM before it repeats a step that failed for the moment, seconds. */
const RETRY_SECONDS = 2;

/**
 * Changes a product's units and its flash sale together. The units of a sale are in two books, this service's and the counter
 * of the flash sale service; a saga moves them, so that no moment and no crash makes units out of nothing:
 *
 * 1. what goes from the sale is withdrawn at the counter, which refuses when buyers have been promised it;
 * 2. the books are changed here, refused when another change came first (its number decides);
 * 3. what comes to the sale is granted at the counter, which never refuses.
 */
@Injectable()
export class SaleChanges {
  constructor(
    private readonly books: SaleBooks,
    private readonly flashSales: FlashSaleClient,
    private readonly dtm: DtmService,
  ) {}

  /**
   * Brings the product's sale to a target, which is made of the books as they are. Changes nothing when it is there already.
   * Throws STOCK_NOT_FOUND; CONFLICT: units are promised, or others change the sale all the time; FLASH_SALE_LOST;
   * UNAVAILABLE: nothing was changed; DEADLINE_EXCEEDED: the change is under way and will be finished.
   */
  async bring(productID: number, target: (book: SaleBook) => SaleTarget): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const book = await this.books.of(productID);
      const obstacle = await this.tryOnce(book, target(book));
      if (!obstacle) return;
      if (attempt === TRIES) throw obstacle;
      await sleep(PAUSE_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }

  /** Resolves with what stood in the way, when it may be gone in a moment. */
  private async tryOnce(book: SaleBook, target: SaleTarget): Promise<ContractError | undefined> {
    const { productID, saleID } = book;
    if (saleID === 0 && target.ended) {
      const set = target.stock === undefined || (await this.books.setOrdinary(productID, target.stock));
      return set ? undefined : new ContractError('CONFLICT', `a flash sale of product ${productID} has just begun`);
    }
    // Asked also when nothing could be in the way: a change that the counter cannot follow must not begin.
    const counter = await this.flashSales.getSale({ productID });
    if (saleID !== 0) {
      const obstacle = outOfStep(book, counter);
      if (obstacle || isThere(book, target)) return obstacle;
      const withdrawn = book.allotted - target.allotted;
      if (withdrawn > Math.max(0, counter.left)) return promised(productID, withdrawn, counter.left);
    }
    const { status, gid } = await this.submit(plan(book, target), saleID === 0);
    if (status === 'succeed') return undefined;
    if (status === 'submitted') {
      throw new ContractError('DEADLINE_EXCEEDED', 'the change is under way and will be finished', {
        metadata: { gid },
      });
    }
    return new ContractError('CONFLICT', `the flash sale of product ${productID} is being changed by others`);
  }

  private async submit(change: ApplySaleRequest, begins: boolean): Promise<SubmitResult> {
    const { productID, saleID, version, granted, withdrawn, limitPerUser, opensAtMs, closesAtMs, status } = change;
    // The hash tag puts the counter's barrier keys next to the counter.
    const gid = `{${productID}}-sale-${version}-${randomUUID()}`;
    const saga = this.dtm.saga(gid, {
      retryInterval: RETRY_SECONDS,
      headers: { request_id: requestContext()?.requestID ?? '' },
    });
    if (withdrawn > 0) {
      const units = { productID, saleID, version, units: withdrawn };
      saga.step(FlashSaleService.withdrawUnits, FlashSaleService.withdrawUnitsRevert, units);
    }
    const terms = { limitPerUser, opensAtMs, closesAtMs, status };
    saga.step(StockService.applySale, null, change);
    saga.step(FlashSaleService.grantUnits, null, {
      ...{ productID, saleID, version, units: granted, withdrawn, begins: begins ? 1 : 0 },
      ...terms,
    });
    try {
      return await saga.submit({ fresh: true, waitResult: true });
    } catch (cause) {
      if (cause instanceof DtmUnavailable) {
        throw new ContractError('UNAVAILABLE', 'DTM is not available at the moment', { cause });
      }
      throw new ContractError('DEADLINE_EXCEEDED', 'DTM did not tell whether it has the change', {
        metadata: { gid },
        cause,
      });
    }
  }
}

/** Whether the counter is another sale's, or has not heard of the last change yet. */
function outOfStep(book: SaleBook, counter: GetSaleReply): ContractError | undefined {
  const { productID, saleID, version } = book;
  if (counter.saleID !== saleID || counter.state !== 'running') {
    return new ContractError('FLASH_SALE_LOST', `the counter of sale ${saleID} of product ${productID} is lost`);
  }
  if (counter.version === version) return undefined;
  return new ContractError('CONFLICT', `an earlier change of the sale of product ${productID} is still under way`);
}

function isThere({ stock, allotted, terms }: SaleBook, target: SaleTarget): boolean {
  return (
    !target.ended &&
    (target.stock ?? stock) === stock &&
    target.allotted === allotted &&
    target.terms.limitPerUser === terms.limitPerUser &&
    target.terms.opensAtMs === terms.opensAtMs &&
    target.terms.closesAtMs === terms.closesAtMs
  );
}

function promised(productID: number, wanted: number, left: number): ContractError {
  return new ContractError(
    'CONFLICT',
    `${wanted} units of product ${productID} cannot be taken out of the sale: ${left} are left, the others are promised to buyers`,
  );
}

function plan({ productID, allotted, saleID, version }: SaleBook, target: SaleTarget): ApplySaleRequest {
  const difference = target.allotted - allotted;
  return {
    productID,
    saleID: saleID || newSaleID(),
    version: version + 1,
    stock: target.stock,
    granted: Math.max(0, difference),
    withdrawn: Math.max(0, -difference),
    ...target.terms,
    status: target.ended ? SaleStatus.ended : SaleStatus.running,
  };
}

/** Needed before the sale has a row, by all steps of the saga: the time in µs, the last three digits random. Below 2^53. */
function newSaleID(): number {
  return Date.now() * 1000 + randomInt(1000);
}
