import { AsyncLocalStorage } from 'node:async_hooks';
import type { ReplyShare } from '../large-replies.js';

/** What is known of the request at hand, wherever the code runs. */
export interface RequestContext {
  /** Given by the client (`x-request-id`, `request_id`) or made here; passed on to other services. */
  readonly requestID: string;
  /** Trace id of W3C Trace Context, 32 hex digits. */
  readonly traceID: string;
  /** The whole `traceparent` value, passed on to other services. */
  readonly traceparent: string;
  /** Under which the client may repeat this request; given by it (`idempotency-key`), passed on to other services. */
  readonly idempotencyKey?: string | undefined;
  /** Global transaction that this call belongs to, when DTM makes it. */
  readonly gid?: string | undefined;
  /** Time after which nobody waits for the answer, ms since 1970. Calls to other services end before. */
  readonly deadline?: number | undefined;
  /** What the reply holds of the memory for large ones; undefined in background work, which replies to nobody. */
  readonly replyShare?: ReplyShare | undefined;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the request at hand; undefined outside of requests. */
export function requestContext(): RequestContext | undefined {
  return storage.getStore();
}

/**
 * Runs `work` as a part of the request at hand that its reply does not contain: large messages that are only looked at hold no
 * memory until the reply is sent.
 */
export function apartFromReply<T>(work: () => T): T {
  const context = storage.getStore();
  return context?.replyShare ? storage.run({ ...context, replyShare: undefined }, work) : work();
}

/** Runs `work` in a given context. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}
