import { ContractError } from '@eshop/proto';
import { type ServiceError, status } from '@grpc/grpc-js';
import { codeOfStatus, isCodeName } from './grpc-status.js';
import { DETAILS_KEY, decodeDetails } from './status-details.js';

/** Statuses whose text comes from the transport and names addresses rather than reasons. */
const TRANSPORT = new Set<number>([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** The error of a call to another service, as that service threw it where it told; else by its status. */
export function fromGrpcError(error: ServiceError, service: string): ContractError {
  const [encoded] = error.metadata?.get(DETAILS_KEY) ?? [];
  const details = Buffer.isBuffer(encoded) ? decodeDetails(encoded) : undefined;
  if (details && isCodeName(details.reason)) {
    const { requestID: _, ...metadata } = details.metadata;
    return new ContractError(details.reason, details.message, {
      violations: details.violations,
      metadata,
      cause: error,
    });
  }
  const code = codeOfStatus(error.code);
  const message = TRANSPORT.has(error.code) ? textOf(error.code, service) : error.details;
  return new ContractError(code, message || undefined, { cause: error });
}

function textOf(code: number, service: string): string | undefined {
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return `${service} is not available at the moment`;
  return code === status.DEADLINE_EXCEEDED ? `${service} did not answer in time` : undefined;
}
