import { type CodeName, ContractError, codes } from '@eshop/proto';
import { status } from '@grpc/grpc-js';

/** Code of the contract for a gRPC status that carries no code of ours. */
const BY_STATUS: Readonly<Partial<Record<number, CodeName>>> = {
  [status.CANCELLED]: 'UNAVAILABLE',
  [status.INVALID_ARGUMENT]: 'INVALID_PARAMETER',
  [status.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.ALREADY_EXISTS]: 'ALREADY_EXISTS',
  [status.PERMISSION_DENIED]: 'FORBIDDEN',
  [status.RESOURCE_EXHAUSTED]: 'TOO_MANY_REQUESTS',
  [status.FAILED_PRECONDITION]: 'TOO_EARLY',
  [status.ABORTED]: 'CONFLICT',
  [status.OUT_OF_RANGE]: 'INVALID_PARAMETER',
  [status.UNIMPLEMENTED]: 'UNIMPLEMENTED',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
};

/** The contract's code of a standard gRPC status. */
export function codeOfStatus(grpcStatus: number): CodeName {
  return BY_STATUS[grpcStatus] ?? 'INTERNAL';
}

export function isCodeName(name: unknown): name is CodeName {
  return typeof name === 'string' && Object.hasOwn(codes, name) && name !== 'OK';
}

/** Also true for a ContractError of another copy of the package. */
export function isContractError(error: unknown): error is ContractError {
  if (error instanceof ContractError) return true;
  if (!(error instanceof Error)) return false;
  const { code, grpcStatus, def } = error as Partial<ContractError>;
  return isCodeName(code) && typeof grpcStatus === 'number' && def !== undefined;
}
