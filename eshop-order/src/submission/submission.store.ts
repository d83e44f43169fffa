import { Sql } from '@eshop/nest-service/mysql';
import { Injectable } from '@nestjs/common';
import { Batcher } from './batcher.js';
import { type Outcome, type Submission, SubmissionState } from './submission.js';

/** A submission as it stands in the database. */
export interface StoredSubmission extends Submission {
  readonly state: number;
  readonly reason: string;
  readonly attempts: number;
}

interface Finished {
  readonly orderID: string;
  readonly outcome: Outcome;
}

const COLUMNS = `order_id AS orderID, user_id AS userID, product_id AS productID, product_count AS productCount, amount,
  coupon_id AS couponID, COALESCE(price, 0) AS price, coupon_amount AS couponAmount, sale_id AS saleID, request_id AS requestID,
  state, reason, attempts`;
const ROW = "(?, ?, ?, ?, ?, ?, NULLIF(?, 0), ?, ?, 0, '', ?, NOW(3) + INTERVAL ? SECOND)";
const MAX_REASON = 255;
const MAX_PAUSE_SECONDS = 60;

/** The table of accepted orders: what is in it will be carried out, whatever dies meanwhile. */
@Injectable()
export class SubmissionStore {
  private readonly accepting = new Batcher<{ submission: Submission; relayAfterSeconds: number }>((items) =>
    this.insert(items),
  );
  private readonly finishing = new Batcher<Finished>((items) => this.markFinished(items));

  constructor(private readonly sql: Sql) {}

  /** Makes an acceptance durable. If nobody finishes it, the relay takes it up after `relayAfterSeconds`. */
  accept(submission: Submission, relayAfterSeconds: number): Promise<void> {
    return this.accepting.add({ submission, relayAfterSeconds });
  }

  /** Records how a submission ended. A second outcome changes nothing. */
  finish(orderID: string, outcome: Outcome): Promise<void> {
    return this.finishing.add({ orderID, outcome });
  }

  async find(orderID: string): Promise<StoredSubmission | undefined> {
    const [row] = await this.sql.query<StoredSubmission>(`SELECT ${COLUMNS} FROM order_submission WHERE order_id = ?`, [
      orderID,
    ]);
    return row;
  }

  /**
   * Pending submissions that are due, at most `limit`, each claimed for this process: nobody else is given them
   * before a pause that doubles with each attempt, up to a minute.
   */
  async claimDue(limit: number): Promise<StoredSubmission[]> {
    const due = await this.sql.query<StoredSubmission>(
      `SELECT ${COLUMNS} FROM order_submission WHERE state = ? AND next_attempt_at <= NOW(3)
       ORDER BY next_attempt_at LIMIT ${limit}`,
      [SubmissionState.pending],
    );
    const claimed: StoredSubmission[] = [];
    for (const submission of due) {
      const pause = Math.min(2 ** (submission.attempts + 1), MAX_PAUSE_SECONDS);
      // The count of attempts is the token: of several relays that saw the row, one changes it.
      const { affectedRows } = await this.sql.run(
        `UPDATE order_submission SET attempts = attempts + 1, next_attempt_at = NOW(3) + INTERVAL ? SECOND
         WHERE order_id = ? AND state = ? AND attempts = ?`,
        [pause, submission.orderID, SubmissionState.pending, submission.attempts],
      );
      if (affectedRows === 1) claimed.push(submission);
    }
    return claimed;
  }

  private async insert(items: readonly { submission: Submission; relayAfterSeconds: number }[]): Promise<void> {
    const values = items.flatMap(({ submission, relayAfterSeconds }) => [
      submission.orderID,
      submission.userID,
      submission.productID,
      submission.productCount,
      submission.amount,
      submission.couponID,
      submission.price,
      submission.couponAmount,
      submission.saleID,
      submission.requestID,
      relayAfterSeconds,
    ]);
    await this.sql.run(
      `INSERT INTO order_submission (order_id, user_id, product_id, product_count, amount, coupon_id, price,
         coupon_amount, sale_id, state, reason, request_id, next_attempt_at) VALUES ${items.map(() => ROW).join(', ')}`,
      values,
    );
  }

  private async markFinished(items: readonly Finished[]): Promise<void> {
    const reasons = items.map(({ outcome }) =>
      outcome.state === 'cancelled' ? outcome.reason.slice(0, MAX_REASON) : '',
    );
    const perItem = (value: string) => items.map(() => value).join(' ');
    await this.sql.run(
      `UPDATE order_submission SET state = CASE order_id ${perItem('WHEN ? THEN ?')} END,
         reason = CASE order_id ${perItem('WHEN ? THEN ?')} END, finished_at = NOW(3)
       WHERE order_id IN (${items.map(() => '?').join(', ')}) AND state = ${SubmissionState.pending}`,
      [
        ...items.flatMap(({ orderID, outcome }) => [orderID, SubmissionState[outcome.state]]),
        ...items.flatMap(({ orderID }, index) => [orderID, reasons[index] ?? '']),
        ...items.map(({ orderID }) => orderID),
      ],
    );
  }
}
