import { DtmAborted, DtmOutcomeUnknown, DtmService, type LocalStep, Refusal } from '@eshop/nest-dtm';
import { redisBarrier } from '@eshop/nest-dtm/redis';
import { Gate, InjectConfig, newTimeID, requestContext } from '@eshop/nest-service';
import { type CodeName, ContractError } from '@eshop/proto';
import { type FlashSaleReply, type FlashSaleRequest, FlashSaleService } from '@eshop/proto/flashsale';
import { Injectable, Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Config } from '../config.js';
import { SaleCounters } from '../sale/sale-counters.js';
import { TAKE_UNIT } from '../sale/scripts/take-unit.lua.js';
import { Idempotency } from './idempotency.js';

/** A request with its order id and the sale it goes to. */
interface Purchase extends FlashSaleRequest {
  readonly orderID: string;
  readonly saleID: number;
}

/**
 * Buyers take units. A purchase is a two-phase message: DTM learns of it, one script takes the unit, DTM brings the order into
 * the queue. Whatever dies after the unit is taken, the order gets there; when the unit was not taken, it never does.
 */
@Injectable()
export class Purchases {
  private readonly logger = new Logger(Purchases.name);
  private readonly gate: Gate;
  private readonly barrier: ReturnType<typeof redisBarrier>;

  constructor(
    redis: Redis,
    private readonly counters: SaleCounters,
    private readonly idempotency: Idempotency,
    private readonly dtm: DtmService,
    @InjectConfig() private readonly config: Config,
  ) {
    const { maxRunning, maxWaiting, maxWaitMs } = config.flashSale;
    this.gate = new Gate({
      limit: maxRunning,
      queueLimit: maxWaiting,
      waitMs: maxWaitMs,
      refusal: 'too many are buying right now; try again shortly',
    });
    this.barrier = redisBarrier(redis);
  }

  /**
   * Throws FLASH_SALE_NOT_OPEN, FLASH_SALE_SOLD_OUT, FLASH_SALE_LIMIT_REACHED, mostly without asking DTM;
   * IDEMPOTENCY_KEY_REUSED; TOO_MANY_REQUESTS; UNAVAILABLE: nothing was bought; DEADLINE_EXCEEDED: that is not known.
   */
  async buy(request: FlashSaleRequest): Promise<FlashSaleReply> {
    const key = requestContext()?.idempotencyKey;
    if (key === undefined) return this.buyNew(request, newTimeID, true);
    const { orderID, repeat } = await this.idempotency.claim(key, request, newTimeID());
    try {
      return await (repeat ? this.buyAgain(request, orderID) : this.buyNew(request, () => orderID));
    } catch (error) {
      if (error instanceof FinalRefusal) await this.idempotency.refuse(key, request, orderID, error.code);
      if (!(error instanceof SpentOrderID)) throw error;
      await this.idempotency.release(key, request, orderID);
      return this.buy(request);
    }
  }

  /**
   * The order id is made when there is a unit to be had: most of a crowd need none.
   * @param fresh no other request has the order id, or will
   */
  private async buyNew(request: FlashSaleRequest, makeOrderID: () => string, fresh = false): Promise<FlashSaleReply> {
    const { productID, userID } = request;
    const saleID = await this.counters.openSale(productID, userID);
    if (!this.gate.full) return this.gate.pass(() => this.send({ ...request, orderID: makeOrderID(), saleID }, fresh));
    // Whoever had to wait looks again: most of a crowd are told without DTM that the others were faster.
    return this.gate.pass(async () =>
      this.send({ ...request, saleID: await this.counters.openSale(productID, userID), orderID: makeOrderID() }, fresh),
    );
  }

  /** The order may have its unit already, so that it does not count whether one could be bought now. */
  private async buyAgain(request: FlashSaleRequest, orderID: string): Promise<FlashSaleReply> {
    return this.gate.pass(async () =>
      this.send({ ...request, orderID, saleID: await this.counters.runningSale(request.productID) }, false),
    );
  }

  private async send(
    { orderID, saleID, productID, userID, amount }: Purchase,
    fresh: boolean,
  ): Promise<FlashSaleReply> {
    const { requestID = '', traceparent = '' } = requestContext() ?? {};
    const { backCheckAfterSeconds, retrySeconds } = this.config.flashSale;
    // The hash tag puts the barrier's mark next to the counter.
    const message = this.dtm
      .message(`{${productID}}-${orderID}`, {
        timeoutToFail: backCheckAfterSeconds,
        retryInterval: retrySeconds,
        headers: { request_id: requestID, traceparent },
      })
      .step(FlashSaleService.sendSubmitOrderNotify, {
        ...{ userID, productID, productCount: 1, amount, couponID: 0, orderID, saleID },
      });
    try {
      // Before DTM learns of the purchase: where Redis takes no writes nothing is prepared, and the buyer is told at once.
      await this.counters.noteOrder(orderID, productID);
      const unit = this.takeUnit(orderID, userID, productID, saleID);
      await message.prepareAndSubmit(unit, { backCheck: FlashSaleService.redisQueryPrepared, fresh });
    } catch (error) {
      throw this.failure(error, orderID, fresh);
    }
    return { orderID };
  }

  private takeUnit(orderID: string, userID: number, productID: number, saleID: number): LocalStep<unknown> {
    const { sale, units, users } = this.counters.keys(productID);
    const args = [orderID, userID, saleID, Date.now()];
    return this.barrier.local({ keys: [sale, units, users], args, script: TAKE_UNIT });
  }

  private failure(error: unknown, orderID: string, fresh: boolean): ContractError {
    if (error instanceof Refusal || error instanceof DtmAborted) {
      const code = REFUSALS.find((one) => error.message.includes(one));
      return code ? new FinalRefusal(code) : new SpentOrderID('UNAVAILABLE', undefined, { cause: error });
    }
    this.logger.warn(`purchase ${orderID}: ${String(error)}`);
    if (error instanceof DtmOutcomeUnknown) {
      return new ContractError('DEADLINE_EXCEEDED', 'it is not known whether a unit was taken; look the order up', {
        metadata: { orderID },
        cause: error,
      });
    }
    const told = fresh
      ? 'nothing was bought; try again'
      : 'nothing was bought now; try again with the same Idempotency-Key';
    return new ContractError('UNAVAILABLE', told, { cause: error });
  }
}

/** With which the script refuses; the message of an order id that was refused before quotes it. */
const REFUSALS: readonly CodeName[] = ['FLASH_SALE_NOT_OPEN', 'FLASH_SALE_SOLD_OUT', 'FLASH_SALE_LIMIT_REACHED'];

/** The sale refused, and a unit can never be bought with this order id any more. */
class FinalRefusal extends ContractError {}

/** An earlier try with this order id failed for another reason, and it can never be bought with any more. */
class SpentOrderID extends ContractError {}
