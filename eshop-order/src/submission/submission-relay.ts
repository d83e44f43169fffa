import { InjectConfig } from '@eshop/nest-service';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { OrderConfig } from '../config.js';
import { QueuedOrders } from '../queue/queued-orders.js';
import { Endings } from './endings.js';
import { OrderSagas } from './order-saga.js';
import { outcomeOf } from './outcome.js';
import { SubmissionState } from './submission.js';
import { type StoredSubmission, SubmissionStore } from './submission.store.js';

const AT_ONCE = 16;

/**
 * Sees to it that every accepted order comes to an end: takes up submissions that nobody finished, asks DTM what became of
 * their sagas and submits those it does not know; carries out queued orders that the queue is slow to bring. Several relays may run; each submission is claimed by one at a time.
 */
@Injectable()
export class SubmissionRelay implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SubmissionRelay.name);
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly store: SubmissionStore,
    private readonly endings: Endings,
    private readonly sagas: OrderSagas,
    private readonly queued: QueuedOrders,
    @InjectConfig() private readonly config: OrderConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(this.config.order.relayIntervalMs);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.round = this.runRound().then((more) => this.schedule(more ? 0 : this.config.order.relayIntervalMs));
    }, delayMs);
  }

  /** Takes up one lot of submissions; true when there may be more right now. */
  private async runRound(): Promise<boolean> {
    try {
      const due = await this.store.claimDue(AT_ONCE);
      await Promise.all(due.map((submission) => this.takeUp(submission)));
      return due.length === AT_ONCE;
    } catch (error) {
      this.logger.warn(`pending orders could not be read: ${String(error)}`);
      return false;
    }
  }

  private async takeUp(submission: StoredSubmission): Promise<void> {
    const { orderID, attempts } = submission;
    try {
      if (submission.state === SubmissionState.queued) {
        await this.queued.takeUp(submission);
        this.logger.log(`order ${orderID}, attempt ${attempts + 1}: taken up before the queue brought it`);
        return;
      }
      // Without `fresh`, the library asks DTM first: a saga that is known is not started a second time.
      const result = await this.sagas.of(submission).submit();
      const outcome = outcomeOf(result);
      if (outcome) await this.endings.record(submission, outcome);
      this.logger.log(`order ${orderID}, attempt ${attempts + 1}: its saga is ${result.status}`);
    } catch (error) {
      this.logger.warn(`order ${orderID}, attempt ${attempts + 1}: ${String(error)}`);
    }
  }
}
