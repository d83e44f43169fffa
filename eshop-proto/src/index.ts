export { bindController } from './bind.js';
export {
  type CallOptions,
  type ClientContract,
  GRPC_CLIENT_FACTORY,
  type GrpcClientFactory,
} from './client.js';
export { type CodeDef, type CodeName, codes } from './codes.js';
export type { ColumnDef, ColumnTable } from './columns.js';
export type { MethodContract, ServiceContract } from './contract.js';
export { ContractError, type ContractErrorOptions } from './contract-error.js';
export { Column, Conditions, Params } from './generated/api/types/types.js';
export { safeDefinition, UndecodableRequest } from './grpc-request.js';
export { type HttpBinding, type HttpRequestParts, httpRequestParser } from './http-request.js';
export type { JsonRecord } from './json-record.js';
export { ErrorEnvelope } from './swagger/error-envelope.js';
export type { FieldTable, MessageTable, Rules, ScalarKind } from './table.js';
export { formatTime, parseFilterTime, parseTime, TIME_DESCRIPTION } from './time.js';
export { validate } from './validate.js';
export type { Violation } from './violation.js';
