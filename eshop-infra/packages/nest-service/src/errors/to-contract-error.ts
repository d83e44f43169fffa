import { type CodeName, ContractError } from '@eshop/proto';
import { HttpException } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { fromDatabaseError } from './database-error.js';
import { codeOfStatus, isCodeName, isContractError } from './grpc-status.js';

const BY_HTTP_STATUS: Readonly<Record<number, CodeName>> = {
  400: 'INVALID_PARAMETER',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  409: 'CONFLICT',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  422: 'INVALID_PARAMETER',
  425: 'TOO_EARLY',
  429: 'TOO_MANY_REQUESTS',
  431: 'HEADERS_TOO_LARGE',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

const BY_FASTIFY_CODE: Readonly<Record<string, CodeName>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'MALFORMED_BODY',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'MALFORMED_BODY',
  FST_ERR_CTP_INVALID_JSON_BODY: 'MALFORMED_BODY',
};

/**
 * Everything that may be thrown, as the contract's one error type. What nobody foresaw becomes INTERNAL with a message
 * that tells nothing; the original is the cause, for the log.
 */
export function toContractError(error: unknown): ContractError {
  if (isContractError(error)) return error;
  if (error instanceof HttpException) return fromHttpException(error);
  if (error instanceof RpcException) return fromRpcException(error);
  return fromDatabaseError(error) ?? fromDuckType(error) ?? new ContractError('INTERNAL', undefined, { cause: error });
}

function fromHttpException(error: HttpException): ContractError {
  const httpStatus = error.getStatus();
  const code = BY_HTTP_STATUS[httpStatus] ?? (httpStatus >= 500 ? 'INTERNAL' : 'INVALID_PARAMETER');
  return new ContractError(code, httpStatus >= 500 ? undefined : error.message, { cause: error });
}

function fromRpcException(error: RpcException): ContractError {
  const given = error.getError();
  const { code, message } = typeof given === 'object' ? (given as { code?: unknown; message?: unknown }) : {};
  if (typeof code !== 'number') return new ContractError('INTERNAL', undefined, { cause: error });
  const name = codeOfStatus(code);
  const told = name !== 'INTERNAL' && typeof message === 'string' ? message : undefined;
  return new ContractError(name, told, { cause: error });
}

/** Fastify's errors, and errors of libraries that name a code or a status without knowing this package. */
function fromDuckType(error: unknown): ContractError | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message, statusCode, httpStatus, grpcStatus } = error as Record<string, unknown>;
  const told = typeof message === 'string' && message !== '' ? message : undefined;
  if (isCodeName(code)) return new ContractError(code, told, { cause: error });
  if (typeof code === 'string' && BY_FASTIFY_CODE[code]) {
    return new ContractError(BY_FASTIFY_CODE[code], undefined, { cause: error });
  }
  const http = typeof httpStatus === 'number' ? httpStatus : statusCode;
  if (typeof http === 'number' && http >= 400 && http < 600) {
    const name = BY_HTTP_STATUS[http] ?? (http >= 500 ? 'INTERNAL' : 'INVALID_PARAMETER');
    return new ContractError(name, http >= 500 ? undefined : told, { cause: error });
  }
  return typeof grpcStatus === 'number'
    ? new ContractError(codeOfStatus(grpcStatus), told, { cause: error })
    : undefined;
}
