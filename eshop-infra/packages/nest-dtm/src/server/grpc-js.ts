import { createRequire } from 'node:module';
import { DtmInvalidOption } from '../errors.js';

type GrpcJs = typeof import('@grpc/grpc-js');

const PACKAGE = '@grpc/grpc-js';
const require = createRequire(import.meta.url);

/**
 * The gRPC library, loaded where gRPC is used and not before, since an application without gRPC need not have it.
 *
 * @param field what asks for gRPC, for the error
 * @throws {DtmInvalidOption} it is not installed
 */
export function grpcJs(field: string): GrpcJs {
  const loaded = installedGrpcJs();
  if (loaded) return loaded;
  throw new DtmInvalidOption(field, `needs the package ${PACKAGE}, which is not installed`);
}

/** The same; `undefined` when it is not installed. */
export function installedGrpcJs(): GrpcJs | undefined {
  try {
    // Written out, so that bundlers find it.
    return require('@grpc/grpc-js') as GrpcJs;
  } catch (error) {
    if (isMissing(error, PACKAGE)) return undefined;
    throw error;
  }
}

/** Whether this is the error of a package that is not installed, rather than of one that fails to load. */
export function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return /^(ERR_)?MODULE_NOT_FOUND$/.test(String(error.code)) && error.message.includes(`'${name}'`);
}
