import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { ContractError } from './contract-error.js';
import type { MessageTable } from './table.js';
import { validate } from './validate.js';

/** Stands for a request whose bytes could not be decoded, until it is refused like any other invalid request. */
export class UndecodableRequest {
  constructor(readonly reason: unknown) {}
}

/**
 * The definition with deserializers that never throw: grpc-js answers INTERNAL when one does, and the fault is the
 * client's. Such a request reaches the handler's parameter as {@link UndecodableRequest} and is refused there.
 */
export function safeDefinition(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([key, method]: [string, MethodDefinition<unknown, unknown>]) => [
      key,
      {
        ...method,
        requestDeserialize: (bytes: Buffer): unknown => {
          try {
            return method.requestDeserialize(bytes);
          } catch (error) {
            return new UndecodableRequest(error);
          }
        },
      },
    ]),
  );
}

/**
 * Makes the function that checks a request that came over gRPC.
 * It throws ContractError INVALID_PARAMETER with every violation.
 */
export function grpcRequestChecker(table: MessageTable): (request: object) => object {
  return (request) => {
    if (request instanceof UndecodableRequest) {
      const description = `the request is no valid ${table.fullName}; numbers must not exceed 9007199254740991, texts must be UTF-8`;
      throw new ContractError('INVALID_PARAMETER', undefined, {
        violations: [{ field: '', rule: 'encoding', description }],
        cause: request.reason,
      });
    }
    const violations = validate(table, request);
    if (violations.length > 0) throw new ContractError('INVALID_PARAMETER', undefined, { violations });
    return request;
  };
}
