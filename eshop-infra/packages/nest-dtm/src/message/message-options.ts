import { DtmInvalidOption } from '../errors.js';
import { assertTransactionOptions, type TransactionOptions } from '../transaction/transaction-options.js';

/** Options stored with a message. */
export interface MessageOptions extends TransactionOptions {
  /**
   * Of a two-phase message: how long DTM waits for its submit before it asks the back-check, seconds. Default: DTM's
   * TimeoutToFail, 35; it looks every RetryInterval (10 s). Must be longer than the local step takes.
   */
  timeoutToFail?: number;
  /** Send not before so many seconds, counted from the submit; DTM sends between once and about twice that time. */
  delay?: number;
  /** Call all steps at once. Only over a server with `protocol: 'http'`: the gRPC protocol cannot say it. */
  concurrent?: boolean;
}

/** Throws {@link DtmInvalidOption} with the option's name. */
export function assertMessageOptions(options: MessageOptions, protocol: 'grpc' | 'http'): void {
  assertTransactionOptions(options, ['timeoutToFail', 'delay']);
  if (options.concurrent && protocol !== 'http')
    throw new DtmInvalidOption('concurrent', "needs a server with protocol: 'http'");
}
