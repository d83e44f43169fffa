import { Injectable } from '@nestjs/common';
import { SaleUnits } from './sale-units.js';
import type { Outcome, Submission } from './submission.js';
import { SubmissionStore } from './submission.store.js';

/** Records how accepted orders end. */
@Injectable()
export class Endings {
  constructor(
    private readonly store: SubmissionStore,
    private readonly units: SaleUnits,
  ) {}

  /**
   * Records the outcome of an order's saga; a second outcome changes nothing. The unit of a flash sale is on its way back
   * before a cancelled order is final, since the relay looks after those that are not. Throws UNAVAILABLE: try again later.
   */
  async record(submission: Submission, outcome: Outcome): Promise<void> {
    if (outcome.state === 'cancelled') await this.units.giveBack(submission);
    await this.store.finish(submission, outcome);
  }
}
