import type { ContractError } from '@eshop/proto';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { RpcException } from '@nestjs/microservices';
import { DETAILS_KEY, encodeDetails } from './status-details.js';
import { toContractError } from './to-contract-error.js';

/** An error as grpc-js sends it. */
export type GrpcError = Pick<StatusObject, 'code' | 'details' | 'metadata'>;

export interface MappedError {
  readonly error: ContractError;
  readonly sent: GrpcError;
}

/** What a client gets for `thrown`: a standard status with google.rpc.ErrorInfo and BadRequest in its trailers. */
export function toGrpcError(thrown: unknown, domain: string, requestID: string): MappedError {
  const error = toContractError(thrown);
  const passed = statusOfRpcException(thrown);
  const code = passed?.code ?? error.grpcStatus;
  // grpc-js percent-encodes the message and fails on half a surrogate pair.
  const details = (passed?.message ?? error.message).toWellFormed();
  const metadata = new Metadata();
  metadata.set(
    DETAILS_KEY,
    encodeDetails({
      code,
      message: details,
      reason: error.code,
      domain,
      metadata: { ...error.metadata, requestID },
      violations: error.violations,
    }),
  );
  return { error, sent: { code, details, metadata } };
}

/** An RpcException that states a status is sent as it is. */
function statusOfRpcException(thrown: unknown): { code: number; message: string } | undefined {
  if (!(thrown instanceof RpcException)) return undefined;
  const given = thrown.getError();
  if (typeof given !== 'object') return undefined;
  const { code, message } = given as { code?: unknown; message?: unknown };
  return typeof code === 'number' ? { code, message: typeof message === 'string' ? message : '' } : undefined;
}
