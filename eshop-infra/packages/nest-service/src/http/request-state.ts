import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { newContext, type RequestContext } from '../context/index.js';
import type { ReplyShare } from '../large-replies.js';

/** What a context is made with, where the request comes in. */
interface NewRequest {
  /** 0 = as long as it takes. */
  readonly timeoutMs?: number;
  readonly replyShare?: ReplyShare;
}

const states = new WeakMap<object, RequestContext>();

/** The context of an HTTP request, also where no hook has run (a URL that the router refuses). */
export function contextOf(request: FastifyRequest, { timeoutMs = 0, replyShare }: NewRequest = {}): RequestContext {
  const known = states.get(request.raw);
  if (known) return known;
  const { headers } = request.raw;
  const context = newContext({
    requestID: headers['x-request-id'],
    traceparent: headerOf(request.raw, 'traceparent'),
    gid: headers['dtm-gid'] ?? (request.query as { gid?: unknown } | null)?.gid,
    idempotencyKey: headerOf(request.raw, 'idempotency-key'),
    deadline: timeoutMs > 0 ? Date.now() + timeoutMs : undefined,
    replyShare,
  });
  states.set(request.raw, context);
  return context;
}

/** A header that must come once: a list when it came in several lines, which Node would join by commas. */
export function headerOf({ headers, headersDistinct }: IncomingMessage, name: string): string | string[] | undefined {
  // The distinct lines are a second copy of all headers; only a value with a comma can be several.
  const joined = headers[name];
  if (typeof joined !== 'string' || !joined.includes(',')) return joined;
  const lines = headersDistinct[name];
  return lines && lines.length > 1 ? lines : joined;
}
