import type { ClientContract } from '@eshop/proto';
import type { INestApplication, Type } from '@nestjs/common';
import type { z } from 'zod';
import type { ConfigOf } from '../config/index.js';
import type { Tree } from '../config/schema-tree.js';
import { baseSections } from '../config/sections.js';
import { createService, type ServiceOptions } from '../create-service.js';
import { ConfiguredClientFactory } from '../grpc/client-factory.js';
import { Metrics } from '../metrics/metrics.js';
import type { TestDatabase } from './test-database.js';

export interface TestService<S extends z.ZodObject> {
  /** Base URL, `http://127.0.0.1:<port>`. */
  readonly http: string;
  /** host:port; empty without a gRPC listener. */
  readonly grpcAddress: string;
  readonly app: INestApplication;
  readonly config: ConfigOf<S>;
  /** The service's own throw-away database, when its configuration has a section `mysql`. */
  readonly database: TestDatabase | undefined;
  /** A promise client of any contract, connected to this service. */
  client<T extends object>(contract: ClientContract): T;
  /** Drains and closes the service and drops its database. */
  close(): Promise<void>;
}

/**
 * Starts a service on free ports with a throw-away database, for specs. Reads the configuration file of the working
 * directory, not the environment; logs nothing unless `overrides` say so.
 */
export async function startTestService<S extends z.ZodObject>(
  appModule: Type,
  options: ServiceOptions<S>,
): Promise<TestService<S>> {
  const { overrides = {}, contract } = options;
  const given = overrides.mysql as Tree | undefined;
  const wantsDatabase = options.config?.shape.mysql !== undefined && given?.database === undefined;
  const database = wantsDatabase ? await newDatabase(contract.name.toLowerCase()) : undefined;
  const service = await createService(appModule, {
    env: {},
    ...options,
    overrides: {
      ...overrides,
      http: { host: '127.0.0.1', port: 0, ...(overrides.http as Tree | undefined) },
      grpc: { host: '127.0.0.1', port: 0, ...(overrides.grpc as Tree | undefined) },
      log: { level: 'silent', ...(overrides.log as Tree | undefined) },
      ...(database && { mysql: { ...database.mysql, ...given } }),
    },
  }).catch(async (error: unknown) => {
    await database?.drop();
    throw error;
  });
  const grpcAddress = service.grpcPort === null ? '' : `127.0.0.1:${service.grpcPort}`;
  const factories: ConfiguredClientFactory[] = [];
  return {
    http: `http://127.0.0.1:${service.httpPort}`,
    grpcAddress,
    app: service.app,
    config: service.config,
    database,
    client: <T extends object>(client: ClientContract): T => {
      const factory = testClients(client.name, grpcAddress);
      factories.push(factory);
      return factory.create<T>(client);
    },
    close: async () => {
      for (const factory of factories) factory.onApplicationShutdown();
      await service.close();
      await database?.drop();
    },
  };
}

function testClients(name: string, address: string): ConfiguredClientFactory {
  const { grpcClients } = baseSections({ name, httpPort: 0, grpcPort: null });
  const settings = { [name]: { address, deadlineMs: 30_000, retries: 0 } };
  const config = { grpcClients: grpcClients.parse(settings) };
  return new ConfiguredClientFactory(config, new Metrics('test'));
}

/** Loaded only where it is wanted: a service without a database has no mysql2. */
async function newDatabase(prefix: string): Promise<TestDatabase> {
  return (await import('./test-database.js')).testDatabase(prefix);
}
