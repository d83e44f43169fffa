import { randomUUID } from 'node:crypto';
import { ContractError } from '@eshop/proto';
import { type RequestContext, runInContext } from './request-context.js';

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/;
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,128}$/;
const GID_LIMIT = 128;

/** What a client said about its request; nothing in here is trusted. */
export interface Incoming {
  readonly requestID?: unknown;
  readonly traceparent?: unknown;
  readonly gid?: unknown;
  readonly idempotencyKey?: unknown;
  readonly deadline?: number | undefined;
}

/** A context made of what the client sent, and of new ids where that is missing or not acceptable. */
export function newContext(incoming: Incoming = {}): RequestContext {
  const { traceparent, gid } = incoming;
  const traced = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  const given = typeof incoming.requestID === 'string' && REQUEST_ID.test(incoming.requestID);
  const traceID = traced ?? hex32();
  return {
    requestID: given ? (incoming.requestID as string) : traced ? hex32() : traceID,
    traceID,
    traceparent: traced ? (traceparent as string) : `00-${traceID}-${hex32().slice(0, 16)}-00`,
    idempotencyKey: isIdempotencyKey(incoming.idempotencyKey) ? incoming.idempotencyKey : undefined,
    gid: typeof gid === 'string' && gid !== '' && gid.length <= GID_LIMIT ? gid : undefined,
    deadline: incoming.deadline,
  };
}

/** Runs background work (a poller, a consumer) in a context of its own, so that its logs and calls carry an id. */
export function withRequestContext<T>(incoming: Incoming, work: () => T): T {
  return runInContext(newContext(incoming), work);
}

/**
 * Refuses a request whose Idempotency-Key cannot be taken: 1 to 128 printable ASCII characters. To pass over it would let
 * the client believe that it may repeat the request.
 */
export function checkIdempotencyKey(key: unknown): void {
  if (key === undefined || isIdempotencyKey(key)) return;
  throw new ContractError('INVALID_PARAMETER', undefined, {
    violations: [
      { field: 'Idempotency-Key', rule: 'string.pattern', description: 'must be 1 to 128 printable ASCII characters' },
    ],
  });
}

function isIdempotencyKey(key: unknown): key is string {
  return typeof key === 'string' && IDEMPOTENCY_KEY.test(key);
}

function hex32(): string {
  return randomUUID().replaceAll('-', '');
}
