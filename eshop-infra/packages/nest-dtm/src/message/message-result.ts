import { DtmAborted } from '../errors.js';
import { refusalText, type Transaction } from '../server/transaction.js';

/** What became of a message. It cannot be refused once it is submitted: its steps are repeated until they succeed. */
export interface MessageResult {
  /** Id of the message. */
  gid: string;
  /** `submitted`: DTM has it and calls its steps until they succeed. `succeed`: every step took effect. */
  status: 'submitted' | 'succeed';
}

/** What became of a two-phase message. */
export interface LocalMessageResult<T> extends MessageResult {
  /** What the local step returned; `undefined` when `repeat`. */
  value?: T;
  /**
   * The local step had been done under this gid when the call came to do it, by another call or by an attempt of this one whose
   * answer was lost.
   */
  repeat: boolean;
}

/**
 * The result of a message DTM has.
 *
 * @throws {DtmAborted} it was aborted: nothing of it has run or will
 */
export function messageResult(stored: Transaction): MessageResult {
  const { gid, status } = stored;
  if (status === 'failed' || status === 'aborting') throw new DtmAborted(refusalText(stored.rollbackReason), { gid });
  return { gid, status: status === 'succeed' ? 'succeed' : 'submitted' };
}
