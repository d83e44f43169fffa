import type { ServiceDefinition } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds until the call fails with DEADLINE_EXCEEDED; the client's setting when absent. */
  readonly deadlineMs?: number;
  /** Additional gRPC metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a factory needs to make a client of a service. */
export interface ClientContract {
  /** Short name of the service, under which its address is configured. */
  readonly name: string;
  readonly fullName: string;
  readonly definition: ServiceDefinition;
  /** Keys of the methods without side effects: only these may be retried. */
  readonly safe: readonly string[];
}

/** Makes clients; the application provides one under {@link GRPC_CLIENT_FACTORY}, globally. */
export interface GrpcClientFactory {
  /** @returns an object with a promise method per rpc, failing with ContractError */
  create<T extends object>(contract: ClientContract): T;
}

/** Injection token of the {@link GrpcClientFactory}. */
export const GRPC_CLIENT_FACTORY: unique symbol = Symbol.for('eshop.GrpcClientFactory');

type ClientToken<T> = abstract new () => T;

/** Makes `target` the Nest module that provides and exports the client. */
export function defineClientModule<T extends object>(
  target: new () => object,
  client: ClientToken<T>,
  contract: ClientContract,
): void {
  const provider = {
    provide: client,
    useFactory: (factory: GrpcClientFactory): T => factory.create<T>(contract),
    inject: [GRPC_CLIENT_FACTORY],
  };
  Module({ providers: [provider], exports: [provider] })(target);
}
