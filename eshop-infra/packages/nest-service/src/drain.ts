import type { Server as GrpcServer } from '@grpc/grpc-js';
import type { FastifyInstance } from 'fastify';
import type { ServiceConfig } from './config/index.js';
import type { Readiness } from './health/readiness.js';

/**
 * Ends both listeners: not ready any more, no new connections, requests in flight finish, idle connections close.
 * What is not finished after `drainMs` is cut off.
 * @returns whether everything finished in time
 */
export async function drain(
  shutdown: ServiceConfig['shutdown'],
  readiness: Readiness,
  fastify: FastifyInstance,
  grpc: GrpcServer | undefined,
): Promise<boolean> {
  readiness.drain();
  if (shutdown.delayMs > 0) await pause(shutdown.delayMs);
  const finished = Promise.all([fastify.close(), grpc && endGrpc(grpc)]).then(() => true);
  const timeout = Promise.withResolvers<false>();
  const timer = setTimeout(() => timeout.resolve(false), shutdown.drainMs);
  const inTime = await Promise.race([finished, timeout.promise]);
  clearTimeout(timer);
  if (!inTime) {
    fastify.server.closeAllConnections();
    grpc?.forceShutdown();
    await finished;
  }
  return inTime;
}

function endGrpc(server: GrpcServer): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
