import { DtmOutcomeUnknown, DtmUnavailable } from '@eshop/nest-dtm';
import { InjectConfig, requestContext } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import type { QueuedOrder } from '@eshop/proto/order';
import { Injectable } from '@nestjs/common';
import type { OrderConfig } from '../config.js';
import { Endings } from '../submission/endings.js';
import { OrderSagas } from '../submission/order-saga.js';
import { outcomeOf } from '../submission/outcome.js';
import { Pricing } from '../submission/pricing.js';
import { requestHash } from '../submission/request-hash.js';
import { SaleUnits } from '../submission/sale-units.js';
import { type Submission, SubmissionState } from '../submission/submission.js';
import { AlreadyAccepted, type StoredSubmission, SubmissionStore } from '../submission/submission.store.js';

/** The order id belongs to another order: whoever wrote this one has made a mistake that no repeat will mend. */
export class OrderIDTaken extends Error {}

/**
 * Carries queued orders out, each once, however often and from wherever they come: from the queue, again from the queue, or
 * from the relay. When this resolves the order is final, or DTM has its saga.
 */
@Injectable()
export class QueuedOrders {
  constructor(
    private readonly store: SubmissionStore,
    private readonly pricing: Pricing,
    private readonly sagas: OrderSagas,
    private readonly units: SaleUnits,
    private readonly endings: Endings,
    @InjectConfig() private readonly config: OrderConfig,
  ) {}

  /** Carries out an order as the queue has it. Throws {@link OrderIDTaken}, or UNAVAILABLE and the like: try again later. */
  async carryOut(order: QueuedOrder): Promise<void> {
    // One of a flash sale is recorded first when it comes from the queue, so that it is seldom there.
    const before = order.saleID > 0 ? undefined : await this.store.find(order.orderID);
    if (!before && (await this.acceptNew(order))) return;
    const known = before ?? (await this.store.find(order.orderID));
    if (!known?.requestHash?.equals(requestHash(order))) {
      throw new OrderIDTaken(`order ${order.orderID} is another order`);
    }
    return this.takeUp(known);
  }

  /** Carries on with an order that is recorded, from where it stands. */
  async takeUp(known: StoredSubmission): Promise<void> {
    if (known.state === SubmissionState.placed) return;
    if (known.state === SubmissionState.cancelled) return this.units.giveBack(known);
    if (known.state === SubmissionState.pending) return this.runSaga(known, false);
    const priced = await this.priced(known);
    if (!('price' in priced)) {
      if (await this.store.cancelQueued(known.orderID, reasonOf(priced))) return;
    } else {
      const submission = { ...known, ...priced };
      if (await this.store.start(submission, this.config.order.relayAfterSeconds))
        return this.runSaga(submission, true);
    }
    // Another was faster, and what it did counts.
    const now = await this.store.find(known.orderID);
    if (now && now.state !== SubmissionState.queued) await this.takeUp(now);
  }

  /** An order that came by the queue alone, as those of flash sales do. False when it is recorded already. */
  private async acceptNew(order: QueuedOrder): Promise<boolean> {
    const priced = await this.priced(order);
    const refused = !('price' in priced);
    const requestID = requestContext()?.requestID ?? '';
    const terms = refused ? { price: 0, couponAmount: 0, amount: order.amount } : priced;
    const submission: Submission = { ...order, ...terms, requestID };
    const { relayAfterSeconds } = this.config.order;
    try {
      await this.store.accept(submission, {
        relayAfterSeconds,
        requestHash: requestHash(order),
        ...(refused && { state: SubmissionState.cancelled, reason: reasonOf(priced) }),
      });
    } catch (error) {
      if (error instanceof AlreadyAccepted) return false;
      throw error;
    }
    if (refused) await this.units.giveBack(submission);
    else await this.runSaga(submission, true);
    return true;
  }

  /** What the order costs, or why it cannot be sold. Throws what will pass. */
  private async priced(order: Omit<QueuedOrder, 'orderID' | 'saleID'>) {
    try {
      return await this.pricing.priceOf({ ...order, waitResult: false });
    } catch (error) {
      if (error instanceof ContractError && isFinal(error)) return error;
      throw error;
    }
  }

  /** `fresh`: nobody can have submitted this saga before. */
  private async runSaga(submission: Submission, fresh: boolean): Promise<void> {
    try {
      const outcome = outcomeOf(await this.sagas.of(submission).submit({ fresh, waitResult: true }));
      if (outcome) await this.endings.record(submission, outcome);
    } catch (cause) {
      if (!(cause instanceof DtmUnavailable || cause instanceof DtmOutcomeUnknown)) throw cause;
      throw new ContractError('UNAVAILABLE', 'DTM cannot be reached', { cause });
    }
  }
}

/** Whether the same order would be refused again. */
function isFinal({ httpStatus, code }: ContractError): boolean {
  return httpStatus < 500 && code !== 'TOO_MANY_REQUESTS' && code !== 'TOO_EARLY';
}

function reasonOf({ code, message }: ContractError): string {
  return `${code}: ${message}`;
}
