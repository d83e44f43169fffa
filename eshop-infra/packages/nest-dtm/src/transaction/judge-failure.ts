import { DtmError, DtmProtocolError, DtmRefused } from '../errors.js';
import type { CallFailure } from '../server/call-failure.js';
import { GrpcStatus, grpcStatusName } from '../server/grpc-status.js';

/** What DTM 1.18 answers, or its client makes of no answer. */
const KNOWN: readonly number[] = [
  GrpcStatus.UNAVAILABLE,
  GrpcStatus.DEADLINE_EXCEEDED,
  GrpcStatus.UNKNOWN,
  GrpcStatus.INTERNAL,
  GrpcStatus.CANCELLED,
  GrpcStatus.ABORTED,
  GrpcStatus.FAILED_PRECONDITION,
];

/** Texts of the same INTERNAL when DTM cannot reach its store (Go's net and database/sql, go-redis). */
const STORE_AWAY =
  /RST_STREAM|storage:|dial tcp|connection re|(invalid|bad) connection|broken pipe|i\/o timeout|deadline|EOF|closed|LOADING|READONLY|OOM/;

/**
 * The error of a call that no repeat can mend, when a query has said that the server has nothing stored: DTM panics (INTERNAL) on content
 * it cannot store or read, before anything runs; too large a request is RESOURCE_EXHAUSTED; other statuses it never gives.
 * `undefined`: worth another attempt.
 */
export function hopeless(gid: string, failure: CallFailure): DtmError | undefined {
  const { code, text, error: cause } = failure;
  if ((code === GrpcStatus.INTERNAL && !STORE_AWAY.test(text)) || code === GrpcStatus.RESOURCE_EXHAUSTED)
    return new DtmRefused(`DTM rejected the transaction: ${text}`, { gid, cause });
  if (!KNOWN.includes(code))
    return new DtmProtocolError(`DTM answered ${grpcStatusName(code)}: ${text}`, { gid, cause });
  return undefined;
}
