/** What generated files build on. */
export { bindController } from './bind.js';
export { type CallOptions, type ClientContract, defineClientModule } from './client.js';
export type { ColumnTable } from './columns.js';
export { type MethodContract, type ServiceContract, unary, withFileDescriptors } from './contract.js';
export { safeDefinition } from './grpc-request.js';
export { type JsonRecord, jsonRecord } from './json-record.js';
export type { MessageTable } from './table.js';
