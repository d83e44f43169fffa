import type { ServerOptions } from 'node:http2';
import type { ServiceContract } from '@eshop/proto';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ServerGrpc } from '@nestjs/microservices';
import type { ServiceConfig } from '../config/index.js';
import type { Readiness } from '../health/readiness.js';
import type { LargeReplies } from '../large-replies.js';
import type { Loggers } from '../log/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { addHealth } from './health.js';
import { addReflection } from './reflection.js';
import { keepRepeatedMetadata } from './repeated-metadata.js';
import { wrapHandlers } from './wrap-handlers.js';

/** Calls that may be cancelled on one connection in a second. */
const CANCELLATIONS = 20_000;

/**
 * Serves a contract over gRPC with its static codecs: Nest's transport on a server of our own, which listens only when all that it
 * serves is in place (Nest's would answer UNIMPLEMENTED for a moment).
 */
export class GrpcTransport extends ServerGrpc {
  readonly server: Server;
  /** Where it listens. */
  port: number;

  constructor(
    contract: ServiceContract,
    private readonly config: ServiceConfig['grpc'],
    parts: {
      readonly loggers: Loggers;
      readonly metrics: Metrics;
      readonly readiness: Readiness;
      readonly replies: LargeReplies;
    },
  ) {
    super({
      package: contract.package,
      packageDefinition: { [contract.fullName]: contract.definition ?? {} },
      // The codecs are static; Nest insists on some module, and the usual one costs memory.
      protoLoader: 'node:path',
      gracefulShutdown: true,
    });
    this.port = config.port;
    this.server = new Server({
      'grpc.max_receive_message_length': config.maxMessageBytes,
      ...(config.maxConnectionAgeMs > 0 && {
        'grpc.max_connection_age_ms': config.maxConnectionAgeMs,
        'grpc.max_connection_age_grace_ms': config.maxConnectionAgeGraceMs,
      }),
      // statistics that nobody reads
      'grpc.enable_channelz': 0,
    });
    allowCancellations(this.server);
    keepRepeatedMetadata(this.server);
    addHealth(this.server, contract.fullName, parts.readiness);
    addReflection(this.server, contract);
    wrapHandlers(this.server, parts, config.maxInFlight);
  }

  override async createClient(): Promise<Server> {
    return this.server;
  }

  override async start(callback?: () => void): Promise<void> {
    await this.bindEvents();
    const { host, port } = this.config;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.port = await new Promise((resolve, reject) => {
      this.server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    callback?.();
  }
}

/**
 * Node ends a connection, with all the calls on it, when more than 1000 of them are cancelled in a short time (the "rapid reset" attack).
 * Here each caller has one connection, and in a crowd thousands of calls reach their deadline at once. What cancelled calls cost is
 * bounded by `grpc.maxInFlight`. grpc-js gives these options to Node's server, without an option of its own for this one.
 */
function allowCancellations(server: Server): void {
  const { commonServerOptions } = server as unknown as { commonServerOptions?: ServerOptions };
  if (!commonServerOptions) throw new Error('this grpc-js keeps the options of its HTTP/2 servers elsewhere');
  commonServerOptions.streamResetBurst = CANCELLATIONS;
  commonServerOptions.streamResetRate = CANCELLATIONS;
}
