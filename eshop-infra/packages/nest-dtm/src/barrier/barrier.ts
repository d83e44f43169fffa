import type { Branch } from '../branch/branch.js';

/** What a barrier made of a branch call. */
export type BarrierOutcome<T> =
  /** The handler ran, and took effect; `value` is what it returned. */
  | { ran: true; value: T }
  /** `repeat`: this call took effect before. `null-compensation`: there is no effect to take back. Both are a success to DTM. */
  | { ran: false; why: 'repeat' | 'null-compensation' }
  /**
   * The branch has been compensated, or was refused before, so that it never takes effect. DTM is told of a refusal: told of a success, a
   * second executor of the transaction would go on to steps that nobody compensates. `reason`: that of the refusal, where it is known.
   */
  | { ran: false; why: 'undone'; reason?: string };

/** What a barrier made of a local step of a workflow. */
export type StepOutcome =
  /** It took effect, now or before; `result` is the text kept with its mark. */
  | { done: true; result: string }
  /** It was taken back before it came to it, and will never be done. */
  | { done: false };

/** One call of one branch. */
export interface BarrierCall<T> {
  /** Which one. */
  branch: Branch;
  /** The handler. It runs inside the barrier's transaction, or not at all. */
  work: () => Promise<T>;
  /** Whether the caller has given up; then a call still waiting for its turn need not start. */
  cancelled: () => boolean;
  /** Aborts when the time of the call is over: it must be undone then, and rejects with the signal's reason at once. */
  signal?: AbortSignal;
  /**
   * Whether an error of `work` refuses the branch. A refusal is final: the barrier remembers it before the call rejects, so that no
   * repeat of the branch takes effect.
   */
  refuses?: (error: unknown) => boolean;
  /** Brings the caller's async context back, for a barrier that runs calls from another one's. */
  inCaller?: <R>(run: () => R) => R;
}

/**
 * Makes a branch take effect at most once, and never after its compensation. Its memory commits together with the handler's
 * work. A call rejects with the handler's error after undoing its work, or with the store's own error.
 */
export interface Barrier {
  /** Runs the handler, or tells why it must not run. */
  call<T>(call: BarrierCall<T>): Promise<BarrierOutcome<T>>;
  /**
   * Whether the local step of the message `gid` was done; when not, marks it so that it never will be. Needed by
   * `@DtmBackCheck()`.
   */
  backCheck?(gid: string, server?: string): Promise<'done' | 'rolled-back'>;
  /**
   * Does a local step of a workflow at most once, and keeps what it came to together with its mark: a repeat gets the same text,
   * also when the process died before DTM heard of it. Needed by `Workflow.local`.
   */
  step?(branch: Branch, work: () => Promise<string>): Promise<StepOutcome>;
  /** Takes a local step back when it took effect. When it did not, it never will. */
  stepBack?(branch: Branch, work: () => Promise<void>): Promise<void>;
}
