import { type ServiceContract } from '@eshop/proto';
import type { Server } from '@grpc/grpc-js';
import { type GrpcOptions, Transport } from '@nestjs/microservices';
import type { ServiceConfig } from '../config/index.js';
import type { Readiness } from '../health/readiness.js';
import type { Loggers } from '../log/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { addHealth } from './health.js';
import { addReflection } from './reflection.js';
import { wrapHandlers } from './wrap-handlers.js';

/** What is known of the gRPC server once it listens. */
export interface GrpcListener {
  server?: Server;
}

/** Nest's options for serving a contract over gRPC with its static codecs. */
export function grpcServerOptions(
  contract: ServiceContract,
  port: number,
  config: ServiceConfig,
  parts: { readonly loggers: Loggers; readonly metrics: Metrics; readonly readiness: Readiness },
  listener: GrpcListener,
): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      url: `${config.grpc.host.includes(':') ? `[${config.grpc.host}]` : config.grpc.host}:${port}`,
      package: contract.package,
      packageDefinition: { [contract.fullName]: contract.definition ?? {} },
      // The codecs are static; Nest insists on some module, and the usual one costs memory.
      protoLoader: 'node:path',
      gracefulShutdown: true,
      maxReceiveMessageLength: config.grpc.maxMessageBytes,
      onLoadPackageDefinition: (_definition: object, server: Server) => {
        listener.server = server;
        addHealth(server, contract.fullName, parts.readiness);
        addReflection(server, contract);
        wrapHandlers(server, parts.loggers, parts.metrics, config.grpc.maxInFlight);
      },
    },
  };
}
