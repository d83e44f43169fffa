import { hostname } from 'node:os';
import { codes } from '@eshop/proto';
import type { FastifyInstance } from 'fastify';
import { successBody } from '../errors/envelope.js';
import type { Readiness } from '../health/readiness.js';
import type { Metrics } from '../metrics/metrics.js';
import { retryAfter } from './retry-after.js';

/** Routes for machines and operators, outside of Nest and of the envelope; /config only with something to show. */
export function useBuiltInRoutes(
  fastify: FastifyInstance,
  readiness: Readiness,
  metrics: Metrics,
  shownConfig: object | undefined,
): void {
  fastify.get('/health', () => ({ status: 'UP', hostname: hostname() }));
  fastify.get('/ready', async (_request, reply) => {
    const report = await readiness.report();
    if (report.ready) return reply.send(report);
    return reply.code(503).header('retry-after', retryAfter('UNAVAILABLE')).send(report);
  });
  fastify.get('/ping', () => ({}));
  fastify.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  const list = Object.values(codes).map(({ name, code, httpStatus, grpcStatus, msg }) => ({
    code,
    msg,
    name,
    httpStatus,
    grpcStatus,
  }));
  fastify.get('/codes', (_request, reply) => reply.type('application/json; charset=utf-8').send(successBody(list)));
  if (!shownConfig) return;
  fastify.get('/config', (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(shownConfig, null, 2)),
  );
}
