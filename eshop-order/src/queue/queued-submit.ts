import { InjectConfig, newTimeID, requestContext } from '@eshop/nest-service';
import { KafkaProducer } from '@eshop/nest-service/kafka';
import { ContractError } from '@eshop/proto';
import {
  queuedOrderRecord,
  type SendSubmitOrderNotifyReply,
  type SendSubmitOrderNotifyRequest,
} from '@eshop/proto/order';
import { Injectable, Logger } from '@nestjs/common';
import type { OrderConfig } from '../config.js';
import { RepeatScope, Repeats } from '../submission/repeats.js';
import { requestHash } from '../submission/request-hash.js';
import { type Submission, SubmissionState } from '../submission/submission.js';
import { AlreadyAccepted, type RepeatKey, SubmissionStore } from '../submission/submission.store.js';
import { Pace } from './pace.js';

/**
 * Accepts orders for the queue. The order id is given out when both the table of submissions and the queue have the order, so
 * that it can be looked up at once and is carried out whichever of the two is read first.
 */
@Injectable()
export class QueuedSubmit {
  private readonly logger = new Logger(QueuedSubmit.name);

  constructor(
    private readonly store: SubmissionStore,
    private readonly producer: KafkaProducer,
    private readonly repeats: Repeats,
    private readonly pace: Pace,
    @InjectConfig() private readonly config: OrderConfig,
  ) {}

  submit(request: SendSubmitOrderNotifyRequest): Promise<SendSubmitOrderNotifyReply> {
    return this.pace.whileAccepting(() =>
      this.repeats.once(request, {
        scope: RepeatScope.sendSubmitOrderNotify,
        accept: (repeat) => this.accept(request, repeat),
        again: async ({ orderID }) => ({ orderID }),
      }),
    );
  }

  private async accept(
    { userID, productID, productCount, amount, couponID }: SendSubmitOrderNotifyRequest,
    repeat: RepeatKey | undefined,
  ): Promise<SendSubmitOrderNotifyReply> {
    const orderID = newTimeID();
    const wish = { userID, productID, productCount, amount, couponID };
    const requestID = requestContext()?.requestID ?? '';
    // What it costs is found out when it is taken from the queue.
    const submission = { ...wish, orderID, price: 0, couponAmount: 0, saleID: 0, requestID };
    try {
      await this.store.accept(submission, {
        state: SubmissionState.queued,
        relayAfterSeconds: this.config.order.queueOverdueSeconds,
        requestHash: requestHash(wish),
        repeat,
      });
    } catch (cause) {
      if (cause instanceof AlreadyAccepted) throw cause;
      throw notCertain(orderID, cause);
    }
    try {
      await this.producer.send(this.config.kafka.orderTopic, {
        key: orderID,
        value: queuedOrderRecord.write({ ...wish, orderID, saleID: 0 }),
        headers: headersOf(submission),
      });
    } catch (cause) {
      throw await this.withdrawn(orderID, repeat, cause);
    }
    return { orderID };
  }

  /**
   * Takes an order back that the queue does not have for certain. Not one with a key: a repeat under the key may have been
   * told its id already, so it stays, and the relay takes it up.
   */
  private async withdrawn(orderID: string, repeat: RepeatKey | undefined, cause: unknown): Promise<ContractError> {
    if (repeat) return notCertain(orderID, cause);
    try {
      if (await this.store.cancelQueued(orderID, 'UNAVAILABLE: the queue did not take the order')) {
        return new ContractError('UNAVAILABLE', 'the queue cannot be reached; nothing was ordered', { cause });
      }
    } catch (error) {
      this.logger.warn(`order ${orderID} could not be withdrawn: ${String(error)}`);
    }
    return notCertain(orderID, cause);
  }
}

function headersOf({ orderID, requestID }: Submission): Record<string, string> {
  const traceparent = requestContext()?.traceparent;
  return { 'order-id': orderID, 'request-id': requestID, ...(traceparent && { traceparent }), source: 'submit' };
}

function notCertain(orderID: string, cause: unknown): ContractError {
  return new ContractError('UNAVAILABLE', 'it is not certain that the order was queued; look it up by its id', {
    metadata: { orderID },
    cause,
  });
}
