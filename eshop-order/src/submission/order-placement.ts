import { setTimeout as sleep } from 'node:timers/promises';
import { DtmOutcomeUnknown, DtmUnavailable } from '@eshop/nest-dtm';
import { Gate, InjectConfig, newTimeID, requestContext } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import type { SubmitOrderReply, SubmitOrderRequest } from '@eshop/proto/order';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { OrderConfig } from '../config.js';
import { Endings } from './endings.js';
import { OrderSagas } from './order-saga.js';
import { OrderState } from './order-state.js';
import { outcomeOf } from './outcome.js';
import { Pricing } from './pricing.js';
import { RepeatScope, Repeats } from './repeats.js';
import type { Outcome, Submission } from './submission.js';
import { AlreadyAccepted, type RepeatKey, SubmissionStore } from './submission.store.js';

const LOOK_EVERY_MS = 100;

/**
 * Accepts orders. An acceptance is a row in the database, written before anybody is told the order id; then the saga is
 * handed to DTM. Whatever dies after the row is there, the relay takes the order up again.
 */
@Injectable()
export class OrderPlacement implements OnModuleDestroy {
  private readonly logger = new Logger(OrderPlacement.name);
  private readonly gate: Gate;
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly pricing: Pricing,
    private readonly store: SubmissionStore,
    private readonly endings: Endings,
    private readonly sagas: OrderSagas,
    private readonly state: OrderState,
    private readonly repeats: Repeats,
    @InjectConfig() private readonly config: OrderConfig,
  ) {
    this.gate = new Gate({
      limit: config.order.maxRunning,
      queueLimit: config.order.maxWaiting,
      waitMs: config.order.maxWaitMs,
      refusal: 'too many orders are being placed right now; try again shortly',
    });
  }

  /** Accepts an order and starts its saga; with `waitResult` it answers how the order ended, if that shows in time. */
  submit(request: SubmitOrderRequest): Promise<SubmitOrderReply> {
    return this.repeats.once(request, {
      scope: RepeatScope.submit,
      accept: (repeat) => this.accept(request, repeat),
      again: ({ orderID }) => this.again(orderID, request.waitResult),
    });
  }

  private async accept(request: SubmitOrderRequest, repeat: RepeatKey | undefined): Promise<SubmitOrderReply> {
    const price = await this.pricing.priceOf(request);
    const leave = await this.gate.enter();
    const submission: Submission = {
      orderID: newTimeID(),
      userID: request.userID,
      productID: request.productID,
      productCount: request.productCount,
      couponID: request.couponID,
      ...price,
      saleID: 0,
      requestID: requestContext()?.requestID ?? '',
    };
    const { orderID } = submission;
    try {
      await this.store.accept(submission, { relayAfterSeconds: this.config.order.relayAfterSeconds, repeat });
    } catch (cause) {
      leave();
      if (cause instanceof AlreadyAccepted) throw cause;
      // The row may be there all the same, if only the answer was lost: the id lets the client find out.
      throw new ContractError('UNAVAILABLE', 'it is not certain that the order was recorded; look it up by its id', {
        metadata: { orderID },
        cause,
      });
    }
    const outcome = this.carryOut(submission).finally(leave);
    this.running.add(outcome);
    void outcome.finally(() => this.running.delete(outcome));
    return reply(orderID, request.waitResult ? await this.inTime(outcome) : undefined);
  }

  /** What is true now of an order that was accepted before. */
  private async again(orderID: string, waitResult: boolean): Promise<SubmitOrderReply> {
    const end = Date.now() + this.config.order.resultWaitMs;
    for (;;) {
      const { state, reason } = await this.state.of(orderID);
      if (!waitResult || state !== 'pending' || Date.now() >= end) return { orderID, state, reason };
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Lets what is running come to its end before the connections are closed; what does not is the relay's. */
  async onModuleDestroy(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  /** Runs the saga to its end, as far as that shows within DTM's wait; undefined = it goes on without us. */
  private async carryOut(submission: Submission): Promise<Outcome | undefined> {
    const { orderID } = submission;
    try {
      const outcome = outcomeOf(await this.sagas.of(submission).submit({ fresh: true, waitResult: true }));
      if (outcome) await this.endings.record(submission, outcome);
      return outcome;
    } catch (error) {
      const expected = error instanceof DtmUnavailable || error instanceof DtmOutcomeUnknown;
      this.logger[expected ? 'warn' : 'error'](`order ${orderID} is left to the relay: ${String(error)}`);
      return undefined;
    }
  }

  /** The outcome, or undefined when it takes longer than a client is made to wait. */
  private async inTime(outcome: Promise<Outcome | undefined>): Promise<Outcome | undefined> {
    const abort = new AbortController();
    const deadline = sleep(this.config.order.resultWaitMs, undefined, { signal: abort.signal }).catch(() => undefined);
    try {
      return await Promise.race([outcome, deadline]);
    } finally {
      abort.abort();
    }
  }
}

function reply(orderID: string, outcome: Outcome | undefined): SubmitOrderReply {
  if (!outcome) return { orderID, state: 'pending', reason: '' };
  return { orderID, state: outcome.state, reason: outcome.state === 'cancelled' ? outcome.reason : '' };
}
