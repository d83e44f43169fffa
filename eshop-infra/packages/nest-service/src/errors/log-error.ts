import type { ContractError } from '@eshop/proto';
import type { Logger as Pino } from 'pino';
import type { RequestContext } from '../context/index.js';

/** Errors that are the service's fault are logged with their stack; refusals are part of the request's line. */
export function logError(log: Pino, error: ContractError, context: RequestContext): void {
  if (error.httpStatus < 500) return;
  const level = error.code === 'INTERNAL' ? 'error' : 'warn';
  const { requestID, traceID, gid } = context;
  const err = error.cause instanceof Error ? error.cause : error;
  const thrown = error.cause !== undefined && !(error.cause instanceof Error) ? { thrown: error.cause } : undefined;
  log[level]({ requestID, traceID, gid, code: error.code, err, ...thrown }, error.message);
}
