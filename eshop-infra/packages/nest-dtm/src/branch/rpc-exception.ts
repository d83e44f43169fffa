import { isMissing } from '../server/grpc-js.js';

/** What is used of Nest's RpcException. */
export interface RpcError extends Error {
  getError(): string | object;
}

type RpcErrorClass = new (error: { code: number; message: string }) => RpcError;

/** Stands in where Nest's is not installed: no call comes over gRPC there. */
class StandIn extends Error implements RpcError {
  constructor(private readonly error: { code: number; message: string }) {
    super(error.message);
  }

  getError(): object {
    return this.error;
  }
}

/** Nest's own once it is loaded: its filters, and those of applications, ask `instanceof`. */
let rpcErrorClass: RpcErrorClass = StandIn;

/** Loads Nest's RpcException. Only where methods are bound to a transport of microservices, so that nobody else need have it. */
export async function loadRpcException(): Promise<void> {
  try {
    ({ RpcException: rpcErrorClass } = await import('@nestjs/microservices'));
  } catch (error) {
    if (!isMissing(error, '@nestjs/microservices')) throw error;
  }
}

/** An RpcException with a gRPC status. */
export function rpcException(code: number, message: string): RpcError {
  return new rpcErrorClass({ code, message });
}

/** Whether it is an RpcException, told by its form: there may be several copies of the class, or none. */
export function isRpcException(error: unknown): error is RpcError {
  return error instanceof Error && 'getError' in error && typeof error.getError === 'function';
}
