import { randomUUID } from 'node:crypto';
import { ContractError } from '@eshop/proto';
import type { ReplyShare } from '../large-replies.js';
import { type RequestContext, runInContext } from './request-context.js';
import { readTraceparent } from './traceparent.js';

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,128}$/;
const GID_LIMIT = 128;

/** What a client said about its request; nothing in here is trusted. A header that came more than once is a list. */
export interface Incoming {
  readonly requestID?: unknown;
  readonly traceparent?: unknown;
  readonly gid?: unknown;
  readonly idempotencyKey?: unknown;
  readonly deadline?: number | undefined;
  readonly replyShare?: ReplyShare | undefined;
}

/** A context made of what the client sent, and of new ids where that is missing or not acceptable. */
export function newContext(incoming: Incoming = {}): RequestContext {
  const { gid } = incoming;
  const traced = readTraceparent(incoming.traceparent);
  const given = typeof incoming.requestID === 'string' && REQUEST_ID.test(incoming.requestID);
  const traceID = traced?.traceID ?? hex32();
  return {
    requestID: given ? (incoming.requestID as string) : traced ? hex32() : traceID,
    traceID,
    traceparent: traced?.traceparent ?? `00-${traceID}-${hex32().slice(0, 16)}-00`,
    idempotencyKey: isIdempotencyKey(incoming.idempotencyKey) ? incoming.idempotencyKey : undefined,
    gid: typeof gid === 'string' && gid !== '' && gid.length <= GID_LIMIT ? gid : undefined,
    deadline: incoming.deadline,
    replyShare: incoming.replyShare,
  };
}

/** Runs background work (a poller, a consumer) in a context of its own, so that its logs and calls carry an id. */
export function withRequestContext<T>(incoming: Incoming, work: () => T): T {
  return runInContext(newContext(incoming), work);
}

/**
 * Refuses a request whose Idempotency-Key cannot be taken: one, of 1 to 128 printable ASCII characters. To pass over it would let
 * the client believe that it may repeat the request.
 */
export function checkIdempotencyKey(key: unknown): void {
  if (key === undefined || isIdempotencyKey(key)) return;
  const [rule, description] = Array.isArray(key)
    ? ['repeated.max_items', 'must come once']
    : ['string.pattern', 'must be 1 to 128 printable ASCII characters'];
  throw new ContractError('INVALID_PARAMETER', undefined, {
    violations: [{ field: 'Idempotency-Key', rule, description }],
  });
}

function isIdempotencyKey(key: unknown): key is string {
  return typeof key === 'string' && IDEMPOTENCY_KEY.test(key);
}

function hex32(): string {
  return randomUUID().replaceAll('-', '');
}
