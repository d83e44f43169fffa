import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { ServiceContract } from '@eshop/proto';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream } from 'pino';
import type { z } from 'zod';
import { type ConfigOf, type Environment, loadConfig, redactConfig } from './config/index.js';
import type { Tree } from './config/schema-tree.js';
import { drain } from './drain.js';
import { ErrorFilter } from './errors/error.filter.js';
import { GrpcTransport } from './grpc/grpc-transport.js';
import { Readiness } from './health/readiness.js';
import { EnvelopeAdapter } from './http/adapter.js';
import { useJsonBodies } from './http/body-parser.js';
import { useBuiltInRoutes } from './http/built-in-routes.js';
import { useRequestHooks } from './http/hooks.js';
import { RouteTable } from './http/routes.js';
import { useSwagger } from './http/swagger.js';
import { LargeReplies } from './large-replies.js';
import { createLoggers, type Loggers } from './log/logger.js';
import { NestLogger } from './log/nest-logger.js';
import { Metrics } from './metrics/metrics.js';
import { serviceModule } from './service.module.js';

export interface ServiceOptions<S extends z.ZodObject> {
  /** What the service serves, from `@eshop/proto/<name>`. */
  readonly contract: ServiceContract;
  /** The service's own configuration sections; those of every service are added. */
  readonly config?: S;
  /** Modules that the service has under some settings only. */
  readonly modules?: (config: ConfigOf<S>) => readonly Type[];
  /** Default: CONFIG_FILE, else `config/<name>.yaml` in the working directory. */
  readonly configFile?: string;
  /** Default: `process.env`. */
  readonly env?: Environment;
  /** Settings laid over file and environment. */
  readonly overrides?: Tree;
  /** Where log lines go. Default: standard output. */
  readonly logStream?: DestinationStream;
}

/** A service that listens. */
export interface RunningService<S extends z.ZodObject> {
  readonly app: INestApplication;
  readonly config: ConfigOf<S>;
  readonly loggers: Loggers;
  readonly httpPort: number;
  /** null without a gRPC listener */
  readonly grpcPort: number | null;
  /** Drains both listeners, then closes what the modules opened. @returns whether requests in flight all finished */
  close(): Promise<boolean>;
}

/** Makes and starts a service without touching the process (no signals, no exit). */
export async function createService<S extends z.ZodObject>(
  appModule: Type,
  options: ServiceOptions<S>,
): Promise<RunningService<S>> {
  const { contract } = options;
  const { config, schema } = loadConfig({
    contract,
    ...(options.config && { config: options.config }),
    ...(options.configFile !== undefined && { file: options.configFile }),
    ...(options.env && { env: options.env }),
    ...(options.overrides && { overrides: options.overrides }),
  });
  const loggers = createLoggers(config, options.logStream);
  const metrics = new Metrics(config.app.name);
  const readiness = new Readiness();
  const replies = new LargeReplies(config.replies);
  const parts = { config, loggers, metrics, readiness };

  const adapter = new EnvelopeAdapter(config.http);
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  const routes = new RouteTable(fastify);
  useJsonBodies(fastify);
  useRequestHooks(fastify, config, loggers, metrics, replies, () => readiness.isDraining);

  const modules = [appModule, ...(options.modules?.(config) ?? [])];
  const app = await NestFactory.create<NestFastifyApplication>(serviceModule(modules, parts), adapter, {
    logger: new NestLogger(loggers.log),
    bodyParser: false,
    abortOnError: false,
  });
  try {
    app.useGlobalFilters(new ErrorFilter(routes, loggers));
    const shown = config.http.showConfig ? redactConfig(schema, config) : undefined;
    useBuiltInRoutes(fastify, readiness, metrics, shown);
    useSwagger(app, fastify, { title: contract.title, version: config.app.version });

    const hasGrpc = contract.grpcPort !== null && contract.definition;
    const grpc = hasGrpc ? new GrpcTransport(contract, config.grpc, { ...parts, replies }) : undefined;
    if (grpc) {
      app.connectMicroservice({ strategy: grpc }, { inheritAppConfig: true });
      await app.startAllMicroservices();
    }
    const grpcPort = grpc?.port ?? null;
    fastify.server.maxConnections = config.http.maxConnections;
    await app.listen({ port: config.http.port, host: config.http.host });
    const httpPort = (app.getHttpServer().address() as AddressInfo).port;
    loggers.log.info({ httpPort, grpcPort }, `${config.app.name} is up`);

    const close = async () => {
      const finished = await drain(config.shutdown, readiness, fastify, grpc?.server);
      await app.close();
      return finished;
    };
    let closing: Promise<boolean> | undefined;
    return {
      app,
      config,
      loggers,
      httpPort,
      grpcPort,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}
