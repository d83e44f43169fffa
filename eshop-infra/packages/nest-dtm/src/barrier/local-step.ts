/** How the work between a message's prepare and its submit ended. */
export type LocalOutcome<T> =
  /** `repeat`: it was done before under this gid, so nothing ran now and there is no value. */
  | { done: true; repeat: boolean; value?: T }
  /** The back-check came first and promised DTM that the work will never be done. */
  | { done: false; why: 'rolled-back' };

/**
 * The work of a two-phase message: what must be done exactly when the message is sent. Made by a barrier, which keeps the
 * mark "done" in the same store and commits both together.
 */
export interface LocalStep<T> {
  /**
   * Does the work together with its mark, at most once per gid, whoever calls it how often.
   *
   * @param server name of the DTM server as in {@link Branch.server}; a gid on two servers is two messages
   *
   * @throws {Refusal} the business says no: neither work nor mark is kept
   * @throws {DtmNotDone} the store takes no writes now: this call kept neither
   * @throws any other error: it is not known whether work and mark were kept; `check` tells
   */
  run(gid: string, server?: string): Promise<LocalOutcome<T>>;
  /**
   * Whether the work was done. When it was not, marks the gid as rolled back, so that it can never be done afterwards. Waits
   * for a `run` that is under way.
   *
   * @throws {DtmNotDone} the store takes no writes now: the gid is not marked
   */
  check(gid: string, server?: string): Promise<'done' | 'rolled-back'>;
  /** Throws when the work can never be done under this gid. Asked before anything is sent. */
  assertPossible?(gid: string): void;
}
