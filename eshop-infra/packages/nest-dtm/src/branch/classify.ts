import { HttpException } from '@nestjs/common';
import { Ongoing, Refusal } from './refusal.js';
import { isRpcException } from './rpc-exception.js';

/**
 * What an error of a branch means to the transaction. `refused`: roll back. `invalid`: the payload itself is wrong, which no
 * repeat mends. `ongoing`: ask again later. `retry`: it did not work out this time.
 */
export type Meaning = 'refused' | 'invalid' | 'ongoing' | 'retry';

/** An application's own table; `undefined` leaves the error to the default one. */
export type Classify = (error: unknown) => Meaning | undefined;

const BY_GRPC_STATUS: Readonly<Record<number, Meaning>> = {
  3: 'invalid',
  5: 'refused',
  6: 'refused',
  7: 'refused',
  9: 'ongoing',
  10: 'refused',
};

const BY_HTTP_STATUS: Readonly<Record<number, Meaning>> = {
  400: 'invalid',
  403: 'refused',
  404: 'refused',
  409: 'refused',
  422: 'invalid',
  425: 'ongoing',
};

/**
 * Lock wait, deadlock, snapshot changed, killed query, too many connections (server and user), shutdown, read-only during a
 * failover, connection lost: nothing the business decided.
 */
const TRANSIENT_ERRNO: ReadonlySet<number> = new Set([
  1205, 1213, 1020, 1317, 1040, 1203, 1226, 1053, 1290, 1836, 1792, 1927, 3024, 1969, 4031, 2006, 2013,
]);

/** Thrown by the library where something took too long or was in use: it passes, and nothing has decided anything. */
export class Transient extends Error {}

/** Prefixes of the errors with which a Redis server takes no write now (`server.c` and `cluster.c` of Redis 7). */
const TRANSIENT_REDIS = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|OOM|BUSY)\b/;

function isTransientRedis({ name, message }: Error): boolean {
  return (name === 'ReplyError' && TRANSIENT_REDIS.test(message)) || message === 'Connection is closed.';
}

/**
 * Whether the error, or one it wraps, comes from the database being busy or away. Such an error is never a refusal, whatever
 * an application has wrapped it in.
 */
export function isTransient(error: unknown): boolean {
  return hasTransient(error, true);
}

/** @param system whether what another system causes counts: Node's own errors (`ECONNREFUSED`, …), with a negative number, and Redis */
function hasTransient(error: unknown, system: boolean): boolean {
  for (let current = error, depth = 0; typeof current === 'object' && current !== null && depth < 5; depth++) {
    const { errno, fatal, cause, driverError } = current as {
      errno?: unknown;
      fatal?: unknown;
      cause?: unknown;
      driverError?: unknown;
    };
    if (fatal === true || current instanceof Transient) return true;
    if (system && current instanceof Error && isTransientRedis(current)) return true;
    if (typeof errno === 'number' && ((system && errno < 0) || TRANSIENT_ERRNO.has(errno))) return true;
    current = cause ?? driverError;
  }
  return false;
}

/**
 * One table for all errors: a database's troubles first, which decide nothing, then the application's, then the default. Unknown errors
 * mean `retry`.
 */
export function classify(error: unknown, own?: Classify): Meaning {
  // Node's own errors are not among them: who refuses since another system is not to be reached has decided that.
  if (hasTransient(error, false)) return 'retry';
  return own?.(error) ?? byDefault(error);
}

function byDefault(error: unknown): Meaning {
  if (error instanceof Refusal) return 'refused';
  if (isTransient(error)) return 'retry';
  if (error instanceof Ongoing) return 'ongoing';
  const status = grpcStatus(error);
  if (status !== undefined) return BY_GRPC_STATUS[status] ?? 'retry';
  if (error instanceof HttpException) return BY_HTTP_STATUS[error.getStatus()] ?? 'retry';
  return 'retry';
}

/** Of an RpcException, or of any error that names the gRPC status it stands for. */
function grpcStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('grpcStatus' in error && typeof error.grpcStatus === 'number') return error.grpcStatus;
  if (!isRpcException(error)) return undefined;
  const inner = error.getError();
  return typeof inner === 'object' && inner !== null && 'code' in inner && typeof inner.code === 'number'
    ? inner.code
    : undefined;
}
