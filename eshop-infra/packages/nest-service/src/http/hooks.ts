import type { FastifyInstance } from 'fastify';
import type { ServiceConfig } from '../config/index.js';
import { checkIdempotencyKey, runInContext } from '../context/index.js';
import type { LargeReplies } from '../large-replies.js';
import type { Loggers } from '../log/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { limitInFlight } from './in-flight.js';
import { contextOf, headerOf } from './request-state.js';

/** Paths that machines ask all the time: neither logged, measured nor refused. */
const QUIET = /^\/(?:health|ready|metrics|ping)$/;

/** Gives each request its context, one log line and one measurement. */
export function useRequestHooks(
  fastify: FastifyInstance,
  config: ServiceConfig,
  { requests }: Loggers,
  metrics: Metrics,
  replies: LargeReplies,
  isDraining: () => boolean,
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const context = contextOf(request, { timeoutMs: config.http.requestTimeoutMs, replyShare: replies.share() });
    reply.header('x-request-id', context.requestID);
    done();
  });
  limitInFlight(fastify, config.http.maxInFlight, (path) => QUIET.test(path));
  // Where errors are answered with the envelope.
  fastify.addHook('preValidation', (request, _reply, done) => {
    try {
      checkIdempotencyKey(headerOf(request.raw, 'idempotency-key'));
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  // Not earlier: reading the body loses the asynchronous context.
  fastify.addHook('preValidation', (request, _reply, done) => runInContext(contextOf(request), done));
  // Also for requests that came before the shutdown: a connection kept alive would hold it up.
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining()) reply.header('connection', 'close');
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? '(none)' : (request.routeOptions.url ?? '(none)');
    if (!QUIET.test(route)) {
      const ms = reply.elapsedTime;
      metrics.http.observe(ms, request.method, route, reply.statusCode);
      if (requests.isLevelEnabled('info')) {
        const { requestID, traceID, gid } = contextOf(request);
        requests.info(
          {
            requestID,
            traceID,
            gid,
            method: request.method,
            route,
            status: reply.statusCode,
            ms: Math.round(ms * 100) / 100,
          },
          'http',
        );
      }
    }
    done();
  });
}
