import { requestContext } from '@eshop/nest-service';
import { ContractError } from '@eshop/proto';
import { Injectable } from '@nestjs/common';
import { requestHash, type Wish } from './request-hash.js';
import { AlreadyAccepted, type RepeatKey, type StoredSubmission, SubmissionStore } from './submission.store.js';

/** The rpcs that may be repeated under an Idempotency-Key, each with keys of its own. */
export const RepeatScope = { submit: 1, sendSubmitOrderNotify: 2 } as const;

interface Work<T> {
  readonly scope: number;
  /** Accepts the order, under the key if there is one. Throws {@link AlreadyAccepted} when another was faster. */
  accept(repeat: RepeatKey | undefined): Promise<T>;
  /** Answers with the order that was accepted under the key before. */
  again(earlier: StoredSubmission): Promise<T>;
}

/** Carries a user's request out once, however often it comes under the same Idempotency-Key. */
@Injectable()
export class Repeats {
  constructor(private readonly store: SubmissionStore) {}

  /** Throws IDEMPOTENCY_KEY_REUSED when the user's key belongs to a request with another body. */
  async once<T>(wish: Wish, work: Work<T>): Promise<T> {
    const key = requestContext()?.idempotencyKey;
    if (key === undefined) return work.accept(undefined);
    const repeat: RepeatKey = { userID: wish.userID, scope: work.scope, key, requestHash: requestHash(wish) };
    const earlier = await this.store.findByKey(repeat);
    if (earlier) return this.again(repeat, earlier, work);
    try {
      return await work.accept(repeat);
    } catch (error) {
      const faster = error instanceof AlreadyAccepted ? await this.store.findByKey(repeat) : undefined;
      if (!faster) throw error;
      return this.again(repeat, faster, work);
    }
  }

  private again<T>(repeat: RepeatKey, earlier: StoredSubmission, work: Work<T>): Promise<T> {
    if (!earlier.requestHash?.equals(repeat.requestHash)) {
      throw new ContractError('IDEMPOTENCY_KEY_REUSED', 'this Idempotency-Key came with another body before');
    }
    return work.again(earlier);
  }
}
