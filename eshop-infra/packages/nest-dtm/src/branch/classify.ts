import { HttpException } from '@nestjs/common';
import { refusedWrite } from '../barrier/redis/refused-write.js';
import { type DriverError, notNow } from '../mysql-errors.js';
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

/** Thrown by the library where something took too long or was in use: it passes, and nothing has decided anything. */
export class Transient extends Error {}

function isTransientRedis(error: Error): boolean {
  return refusedWrite(error) !== undefined || error.message === 'Connection is closed.';
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
  return chain(error).some((one) => {
    if (one.fatal === true || one instanceof Transient || notNow(one)) return true;
    if (!system) return false;
    return (one instanceof Error && isTransientRedis(one)) || (typeof one.errno === 'number' && one.errno < 0);
  });
}

/** Whether MySQL refused since the server takes no writes: nothing was done, and another server may stand under its name by now. */
export function isWrongServer(error: unknown): boolean {
  return chain(error).some((one) => notNow(one) === 'wrong-server');
}

interface Link extends DriverError {
  readonly fatal?: unknown;
  readonly cause?: unknown;
  readonly driverError?: unknown;
}

/** An error and those that it wraps, as far as one need look. */
function chain(error: unknown): Link[] {
  const links: Link[] = [];
  for (let current = error; typeof current === 'object' && current !== null && links.length < 5; ) {
    const link: Link = current;
    links.push(link);
    current = link.cause ?? link.driverError;
  }
  return links;
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
