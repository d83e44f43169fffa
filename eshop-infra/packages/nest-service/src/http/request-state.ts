import type { FastifyRequest } from 'fastify';
import { newContext, type RequestContext } from '../context/index.js';

const states = new WeakMap<object, RequestContext>();

/** The context of an HTTP request, also where no hook has run (a URL that the router refuses). */
export function contextOf(request: FastifyRequest, timeoutMs = 0): RequestContext {
  const known = states.get(request.raw);
  if (known) return known;
  const { headers } = request.raw;
  const context = newContext({
    requestID: headers['x-request-id'],
    traceparent: headers.traceparent,
    gid: headers['dtm-gid'] ?? (request.query as { gid?: unknown } | null)?.gid,
    idempotencyKey: headers['idempotency-key'],
    deadline: timeoutMs > 0 ? Date.now() + timeoutMs : undefined,
  });
  states.set(request.raw, context);
  return context;
}
