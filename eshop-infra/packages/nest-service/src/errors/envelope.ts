import type { ContractError, Violation } from '@eshop/proto';

/** Body of every failed HTTP request. */
export interface ErrorEnvelope {
  /** Stable number of the contract, listed at /codes. */
  readonly code: number;
  readonly msg: string;
  readonly data: Record<string, never>;
  readonly requestID: string;
  /** The fields and rules that the request breaks. */
  readonly violations?: readonly Violation[];
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** A successful answer, written without a second pass over the reply. */
export function successBody(reply: unknown): string {
  return `{"code":0,"msg":"ok","data":${JSON.stringify(reply ?? {})}}`;
}

export function errorBody(error: ContractError, requestID: string): string {
  const envelope: ErrorEnvelope = {
    code: error.def.code,
    msg: error.message,
    data: {},
    requestID,
    ...(error.violations.length > 0 && { violations: error.violations }),
  };
  return JSON.stringify(envelope);
}
