import { isDuplicateKey } from '@eshop/nest-service';
import { Sql, type SqlRunner } from '@eshop/nest-service/mysql';
import { Injectable } from '@nestjs/common';
import { cancellation, notToPay, orderRows } from '../order/order-book.js';
import { Batcher } from './batcher.js';
import { type Outcome, type Submission, SubmissionState } from './submission.js';

/** A submission as it stands in the database. */
export interface StoredSubmission extends Submission {
  readonly state: number;
  readonly reason: string;
  readonly attempts: number;
  /** Of what the client asked for; null where nobody will ask again. */
  readonly requestHash: Buffer | null;
  /** Whether it was ever to be carried out by a saga: not so while it is queued, nor when it was refused in the queue. */
  readonly started: 0 | 1;
}

/** An Idempotency-Key of a user, and what was asked for under it. */
export interface RepeatKey {
  /** The user of the order: a key belongs to whom it is sent for. */
  readonly userID: number;
  /** The rpc. */
  readonly scope: number;
  readonly key: string;
  readonly requestHash: Buffer;
}

/** What is recorded with an acceptance besides its terms. */
export interface AcceptOptions {
  /** When the relay takes it up if nobody has finished it. */
  readonly relayAfterSeconds: number;
  /** Default: pending. */
  readonly state?: number;
  readonly reason?: string;
  readonly requestHash?: Buffer;
  readonly repeat?: RepeatKey | undefined;
}

/** The order id, or the Idempotency-Key, has been recorded before. */
export class AlreadyAccepted extends Error {}

interface Acceptance extends AcceptOptions {
  readonly submission: Submission;
}

interface Started {
  readonly submission: Submission;
  readonly relayAfterSeconds: number;
}

interface Finished {
  readonly orderID: string;
  readonly outcome: Outcome;
}

const COLUMNS = `order_id AS orderID, user_id AS userID, product_id AS productID, product_count AS productCount, amount,
  coupon_id AS couponID, COALESCE(price, 0) AS price, coupon_amount AS couponAmount, sale_id AS saleID, request_id AS requestID,
  state, reason, attempts, request_hash AS requestHash, started`;
const ROW = '(?, ?, ?, ?, ?, ?, NULLIF(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(3) + INTERVAL ? SECOND)';
const MAX_REASON = 255;
const MAX_PAUSE_SECONDS = 60;

/**
 * The table of accepted orders: what is in it will be carried out, whatever dies meanwhile. An order of a flash sale is entered
 * among the orders together with its acceptance, and cancelled there together with its end.
 */
@Injectable()
export class SubmissionStore {
  private readonly accepting = new Batcher<Acceptance>((items) => this.insert(items));
  private readonly starting = new Batcher<Started>((items) => this.markStarted(items));
  private readonly finishing = new Batcher<Finished>((items) => this.markFinished(items));

  constructor(private readonly sql: Sql) {}

  /** Makes an acceptance durable. Throws {@link AlreadyAccepted} when its order id or its key is there already. */
  async accept(submission: Submission, options: AcceptOptions): Promise<void> {
    try {
      await this.accepting.add({ submission, ...options });
    } catch (error) {
      throw isDuplicateKey(error) ? new AlreadyAccepted(submission.orderID, { cause: error }) : error;
    }
  }

  /** Gives a queued submission the terms by which it is carried out from now on. False when it is not queued any more. */
  async start(submission: Submission, relayAfterSeconds: number): Promise<boolean> {
    try {
      await this.starting.add({ submission, relayAfterSeconds });
      return true;
    } catch (error) {
      if (error instanceof NotQueued) return false;
      throw error;
    }
  }

  /** Ends a queued submission that is not to be carried out. False when it is not queued any more. */
  cancelQueued(orderID: string, reason: string): Promise<boolean> {
    return cancel(this.sql, orderID, reason, SubmissionState.queued);
  }

  /** Records how a submission ended. A second outcome changes nothing. */
  finish({ orderID, saleID }: Pick<Submission, 'orderID' | 'saleID'>, outcome: Outcome): Promise<void> {
    if (saleID > 0 && outcome.state === 'cancelled') return this.cancelEntered(orderID, outcome.reason);
    return this.finishing.add({ orderID, outcome });
  }

  async find(orderID: string): Promise<StoredSubmission | undefined> {
    const [row] = await this.sql.query<StoredSubmission>(`SELECT ${COLUMNS} FROM order_submission WHERE order_id = ?`, [
      orderID,
    ]);
    return row;
  }

  /** The submission that was accepted under a key. */
  async findByKey({ userID, scope, key }: RepeatKey): Promise<StoredSubmission | undefined> {
    const [row] = await this.sql.query<StoredSubmission>(
      `SELECT ${COLUMNS} FROM order_submission WHERE user_id = ? AND idem_scope = ? AND idem_key = ?`,
      [userID, scope, key],
    );
    return row;
  }

  /**
   * Pending and queued submissions that are due, at most `limit`, each claimed for this process: nobody else is given them
   * before a pause that doubles with each attempt, up to a minute.
   */
  async claimDue(limit: number): Promise<StoredSubmission[]> {
    const due = await this.due(SubmissionState.pending, limit);
    if (due.length < limit) due.push(...(await this.due(SubmissionState.queued, limit - due.length)));
    const claimed: StoredSubmission[] = [];
    for (const submission of due) {
      const pause = Math.min(2 ** (submission.attempts + 1), MAX_PAUSE_SECONDS);
      // The count of attempts is the token: of several relays that saw the row, one changes it.
      const { affectedRows } = await this.sql.run(
        `UPDATE order_submission SET attempts = attempts + 1, next_attempt_at = NOW(3) + INTERVAL ? SECOND
         WHERE order_id = ? AND state = ? AND attempts = ?`,
        [pause, submission.orderID, submission.state, submission.attempts],
      );
      if (affectedRows === 1) claimed.push(submission);
    }
    return claimed;
  }

  private due(state: number, limit: number): Promise<StoredSubmission[]> {
    return this.sql.query<StoredSubmission>(
      `SELECT ${COLUMNS} FROM order_submission WHERE state = ? AND next_attempt_at <= NOW(3)
       ORDER BY next_attempt_at LIMIT ${limit}`,
      [state],
    );
  }

  private async insert(items: readonly Acceptance[]): Promise<void> {
    const values = items.flatMap(({ submission, state, reason, requestHash, repeat, relayAfterSeconds }) => [
      submission.orderID,
      submission.userID,
      submission.productID,
      submission.productCount,
      submission.amount,
      submission.couponID,
      submission.price,
      submission.couponAmount,
      submission.saleID,
      state ?? SubmissionState.pending,
      (reason ?? '').slice(0, MAX_REASON),
      submission.requestID,
      repeat?.requestHash ?? requestHash ?? null,
      repeat?.scope ?? null,
      repeat?.key ?? null,
      (state ?? SubmissionState.pending) === SubmissionState.pending,
      relayAfterSeconds,
    ]);
    const text = `INSERT INTO order_submission (order_id, user_id, product_id, product_count, amount, coupon_id, price,
         coupon_amount, sale_id, state, reason, request_id, request_hash, idem_scope, idem_key, started, next_attempt_at) VALUES ${items.map(() => ROW).join(', ')}`;
    const entered = items.flatMap(({ submission, state = SubmissionState.pending }) =>
      submission.saleID > 0 && state === SubmissionState.pending ? [submission] : [],
    );
    if (entered.length === 0) {
      await this.sql.runOnce(text, values);
      return;
    }
    const orders = orderRows(entered);
    await this.sql.transaction(async (tx) => {
      await tx.runOnce(text, values);
      await tx.runOnce(orders.text, orders.values);
    });
  }

  /** Ends an order that was entered with its acceptance. */
  private async cancelEntered(orderID: string, reason: string): Promise<void> {
    const { text, values } = cancellation(orderID);
    await this.sql.transaction(async (tx) => {
      if (!(await cancel(tx, orderID, reason, SubmissionState.pending))) return;
      if ((await tx.run(text, values)).affectedRows === 0) throw notToPay(orderID);
    });
  }

  /** All of them or, when one is not queued any more, none. */
  private async markStarted(items: readonly Started[]): Promise<void> {
    const each = (value: string) => `CASE order_id ${items.map(() => `WHEN ? THEN ${value}`).join(' ')} END`;
    const pairs = (of: (item: Started) => number) => items.flatMap((item) => [item.submission.orderID, of(item)]);
    await this.sql.transaction(async (tx) => {
      const { affectedRows } = await tx.runOnce(
        `UPDATE order_submission SET amount = ${each('?')}, started = TRUE, price = NULLIF(${each('?')}, 0), coupon_amount = ${each('?')},
           next_attempt_at = NOW(3) + INTERVAL ${each('?')} SECOND, state = ${SubmissionState.pending}
         WHERE order_id IN (${items.map(() => '?').join(', ')}) AND state = ${SubmissionState.queued}`,
        [
          ...pairs(({ submission }) => submission.amount),
          ...pairs(({ submission }) => submission.price),
          ...pairs(({ submission }) => submission.couponAmount),
          ...pairs(({ relayAfterSeconds }) => relayAfterSeconds),
          ...items.map(({ submission }) => submission.orderID),
        ],
      );
      if (affectedRows !== items.length) throw new NotQueued();
    });
  }

  private async markFinished(items: readonly Finished[]): Promise<void> {
    const reasons = items.map(({ outcome }) =>
      outcome.state === 'cancelled' ? outcome.reason.slice(0, MAX_REASON) : '',
    );
    const perItem = (value: string) => items.map(() => value).join(' ');
    await this.sql.runOnce(
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

/** Ends a submission that is in the state `from`. False when it is in another. */
async function cancel(sql: SqlRunner, orderID: string, reason: string, from: number): Promise<boolean> {
  const { affectedRows } = await sql.run(
    'UPDATE order_submission SET state = ?, reason = ?, finished_at = NOW(3) WHERE order_id = ? AND state = ?',
    [SubmissionState.cancelled, reason.slice(0, MAX_REASON), orderID, from],
  );
  return affectedRows === 1;
}

class NotQueued extends Error {}
