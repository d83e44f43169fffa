import { DtmService, refusalText } from '@eshop/nest-dtm';
import { ContractError } from '@eshop/proto';
import type { GetByOrderIDReply } from '@eshop/proto/order';
import { Injectable, Logger } from '@nestjs/common';
import { OrderRecords } from '../order/order-records.js';
import { Endings } from './endings.js';
import { outcomeOf } from './outcome.js';
import { SubmissionState } from './submission.js';
import { type StoredSubmission, SubmissionStore } from './submission.store.js';

type State = Pick<GetByOrderIDReply, 'state' | 'reason' | 'transaction'>;

/** Tells what became of an order id that a client was given. */
@Injectable()
export class OrderState {
  private readonly logger = new Logger(OrderState.name);

  constructor(
    private readonly store: SubmissionStore,
    private readonly endings: Endings,
    private readonly records: OrderRecords,
    private readonly dtm: DtmService,
  ) {}

  /** Throws ORDER_NOT_FOUND for an id that was never given out. */
  async of(orderID: string): Promise<GetByOrderIDReply> {
    const submission = await this.store.find(orderID);
    if (!submission) throw new ContractError('ORDER_NOT_FOUND', `order ${orderID} does not exist`);
    const state = await this.stateOf(submission);
    return { ...state, order: await this.records.findByOrderID(orderID) };
  }

  private async stateOf(submission: StoredSubmission): Promise<State> {
    if (submission.state === SubmissionState.placed) return { state: 'placed', reason: '', transaction: 'succeed' };
    if (submission.state === SubmissionState.queued) return { state: 'queued', reason: '', transaction: '' };
    if (submission.state === SubmissionState.cancelled) {
      return { state: 'cancelled', reason: submission.reason, transaction: submission.started ? 'failed' : '' };
    }
    return this.askDtm(submission);
  }

  private async askDtm(submission: StoredSubmission): Promise<State> {
    const { orderID } = submission;
    try {
      const transaction = await this.dtm.query(orderID);
      if (!transaction) return { state: 'pending', reason: '', transaction: '' };
      const { status } = transaction;
      const reason = refusalText(transaction.rollbackReason);
      const outcome = outcomeOf({ status, reason });
      if (outcome) await this.endings.record(submission, outcome);
      return { state: outcome?.state ?? 'pending', reason, transaction: status };
    } catch (error) {
      // The order's own state is known without DTM; only the transaction's is not.
      this.logger.warn(`the transaction of order ${orderID} could not be asked for: ${String(error)}`);
      return { state: 'pending', reason: '', transaction: '' };
    }
  }
}
