import { ContractError } from '@eshop/proto';
import { type ServiceError, status } from '@grpc/grpc-js';
import { codeOfStatus, isCodeName } from './grpc-status.js';
import { DETAILS_KEY, decodeDetails } from './status-details.js';

/** Statuses whose text comes from the transport and names addresses rather than reasons. */
const TRANSPORT = new Set<number>([status.UNKNOWN, status.DEADLINE_EXCEEDED, status.INTERNAL, status.DATA_LOSS]);

const REFUSED_STREAM = /^Stream refused by server$|^Write error: .*\bNGHTTP2_REFUSED_STREAM$/;

/** A call of which nobody knows what became of it, because the server or the connection to it went away. */
export function isServerGone({ code, details, metadata }: ServiceError): boolean {
  // CANCELLED: a server that ends cuts off what it has not finished in time; nobody here cancels a call.
  if (code === status.UNAVAILABLE || code === status.CANCELLED) return true;
  // grpc-js calls a connection that HTTP/2 ends with an error INTERNAL; a service that says INTERNAL sends details with it.
  return code === status.INTERNAL && details.startsWith('Received RST_STREAM') && !metadata?.get(DETAILS_KEY).length;
}

/**
 * A call that the server has not begun, because its connection was just ending (GOAWAY, RFC 9113, 6.8): it may be made again, whatever
 * it does. grpc-js does so itself, once, and not when it learns of the end while it writes the request.
 */
export function isRefusedStream({ code, details, metadata }: ServiceError): boolean {
  return code === status.UNAVAILABLE && REFUSED_STREAM.test(details) && !metadata?.get(DETAILS_KEY).length;
}

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
  if (isServerGone(error))
    return new ContractError('UNAVAILABLE', `${service} is not available at the moment`, { cause: error });
  if (isTooLarge(error)) {
    return new ContractError('INVALID_PARAMETER', `the answer of ${service} is too large; ask for less`, {
      cause: error,
    });
  }
  const message = TRANSPORT.has(error.code) ? textOf(error.code, service) : error.details;
  return new ContractError(codeOfStatus(error.code), message || undefined, { cause: error });
}

/**
 * A message over the limit of the one who receives it, in the words of grpc-js, grpc-go and gRPC's C core. Trying again does
 * not help, as it does with what a service refuses by the same status for being busy.
 */
function isTooLarge({ code, details }: ServiceError): boolean {
  return code === status.RESOURCE_EXHAUSTED && /\blarger than\b|exceeds? (?:the )?(?:max|limit)/i.test(details);
}

function textOf(code: number, service: string): string | undefined {
  return code === status.DEADLINE_EXCEEDED ? `${service} did not answer in time` : undefined;
}
