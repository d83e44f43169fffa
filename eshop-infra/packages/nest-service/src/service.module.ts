import { GRPC_CLIENT_FACTORY } from '@eshop/proto';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { CONFIG, type ServiceConfig } from './config/index.js';
import { ConfiguredClientFactory } from './grpc/client-factory.js';
import { Readiness } from './health/readiness.js';
import { LOGGERS, type Loggers } from './log/logger.js';
import { Metrics } from './metrics/metrics.js';

/** What is made before the application and shared with it. */
export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly loggers: Loggers;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
}

/** Offers configuration, readiness, metrics and gRPC clients to every module of the service. */
@Module({})
class ServiceModule {}

/** The root module: the service's own modules with what they may inject everywhere. */
export function serviceModule(modules: readonly Type[], parts: ServiceParts): DynamicModule {
  const clients = new ConfiguredClientFactory(parts.config, parts.metrics);
  return {
    module: ServiceModule,
    global: true,
    imports: [...modules],
    providers: [
      { provide: CONFIG, useValue: parts.config },
      { provide: LOGGERS, useValue: parts.loggers },
      { provide: Metrics, useValue: parts.metrics },
      { provide: Readiness, useValue: parts.readiness },
      { provide: GRPC_CLIENT_FACTORY, useValue: clients },
    ],
    exports: [CONFIG, LOGGERS, Metrics, Readiness, GRPC_CLIENT_FACTORY],
  };
}
