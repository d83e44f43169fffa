import { DtmInvalidOption } from '../errors.js';
import { assertTransactionOptions, type TransactionOptions } from '../transaction/transaction-options.js';

/**
 * Options stored with a workflow. `retryInterval`: when DTM first resumes it if it is not finished; from then on every
 * RetryInterval of the server (10 s). `requestTimeout`: of its branches, and of DTM's call that resumes it.
 */
export interface WorkflowOptions extends TransactionOptions {}

/** What became of a workflow that was not refused. */
export interface WorkflowResult<T> {
  /** Id of the transaction. */
  gid: string;
  /**
   * `succeed`: all is done. `submitted`: not yet; DTM resumes it, here or in another process, until it is done or refused.
   */
  status: 'submitted' | 'succeed';
  /** What the workflow returned, as JSON carries it; `undefined` while that is not known. */
  value?: T;
  /** The workflow had ended before; nothing ran now. */
  repeat: boolean;
  /** Why it has not ended: the error of a step, or of DTM. */
  reason?: string;
}

const RESERVED = ['name', 'data'];

/** Throws {@link DtmInvalidOption} with the option's name. */
export function assertWorkflowOptions(options: WorkflowOptions): void {
  assertTransactionOptions(options, []);
  for (const key of RESERVED) {
    if (options.customData && key in options.customData)
      throw new DtmInvalidOption(`customData.${key}`, 'is a key with a meaning to DTM');
  }
}
