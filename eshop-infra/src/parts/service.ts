import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { serviceRepository } from '../packages/repositories.ts';
import { treeHash } from '../packages/source-hash.ts';
import type { PortName } from '../ports.ts';
import { databaseUser } from './database-users.ts';
import type { Part } from './part.ts';
import { contractName, type ServiceName, serviceNames, servicesWithDatabase } from './service-names.ts';

const httpPort = (name: ServiceName) => `${name}Http` as PortName;
const grpcPort = (name: ServiceName): PortName | undefined => (name === 'gw' ? undefined : (`${name}Grpc` as PortName));

/** `flashSale` → `FLASH_SALE`, as the services spell the path of a setting. */
const upperSnake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** Where each service finds the others, by the names that configurations use (`grpcClients.stock.address`). */
function addresses({ ports }: Context): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of serviceNames) {
    const port = grpcPort(name);
    if (port) found[upperSnake(contractName(name))] = `127.0.0.1:${ports[port]}`;
  }
  return found;
}

/** What a service stands on beside those that it calls: they must run before it can be ready. */
function needsOf(name: ServiceName): string[] {
  if (name === 'gw') return [];
  if (name === 'flashsale') return ['redis', 'kafka', 'dtm-redis'];
  return name === 'order' ? ['mysql', 'dtm-mysql', 'kafka'] : ['mysql', 'dtm-mysql'];
}

function databaseSettings(context: Context, name: ServiceName): Record<string, string> {
  const { user, password, database } = databaseUser(context, name);
  return {
    MYSQL_HOST: '127.0.0.1',
    MYSQL_PORT: String(context.ports.mysql),
    MYSQL_USER: user,
    MYSQL_PASSWORD: password,
    MYSQL_DATABASE: database,
  };
}

/** Flash sales go through the DTM server whose store is Redis, all else through the one on MariaDB. */
function dtmSettings({ ports, secrets }: Context, name: ServiceName): Record<string, string> {
  const [grpc, http] =
    name === 'flashsale' ? [ports.dtmRedisGrpc, ports.dtmRedisHttp] : [ports.dtmMysqlGrpc, ports.dtmMysqlHttp];
  return { DTM_GRPC: `127.0.0.1:${grpc}`, DTM_HTTP: `http://127.0.0.1:${http}`, DTM_SECRET: secrets.dtm };
}

/**
 * Node sizes its heap for servers with gigabytes; these hold a service near what it needs, which is about 50 MB of heap. Source
 * maps are left out, since they cost 26 MB for each service.
 */
const nodeArguments = ['--max-semi-space-size=4', '--max-old-space-size=96'];

/** The settings of a service as environment variables: its configuration's paths in upper snake case. */
export function serviceEnvironment(context: Context, name: ServiceName): Record<string, string> {
  const { ports, paths } = context;
  const grpc = grpcPort(name);
  const env: Record<string, string> = {
    NODE_ENV: 'development',
    MALLOC_ARENA_MAX: '2',
    NODE_COMPILE_CACHE: join(paths.cache, 'compile'),
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(ports[httpPort(name)]),
    LOG_LEVEL: process.env.ESHOP_LOG_LEVEL ?? 'info',
  };
  for (const [service, address] of Object.entries(addresses(context))) {
    env[`GRPC_CLIENTS_${service}_ADDRESS`] = address;
    env[`BRANCHES_${service}`] = address;
  }
  if (grpc) {
    Object.assign(env, { GRPC_HOST: '127.0.0.1', GRPC_PORT: String(ports[grpc]), ...dtmSettings(context, name) });
  }
  const needs = needsOf(name);
  if (servicesWithDatabase.includes(name)) Object.assign(env, databaseSettings(context, name));
  if (needs.includes('redis')) env.REDIS_URL = `redis://127.0.0.1:${ports.redis}`;
  if (needs.includes('kafka')) Object.assign(env, { KAFKA_BROKERS: `127.0.0.1:${ports.kafka}` });
  return env;
}

export function servicePart(name: ServiceName): Part {
  const grpc = grpcPort(name);
  const directory = (context: Context) => serviceRepository(context, name).directory;
  return {
    name,
    title: `eshop-${name}`,
    needs: needsOf(name),
    ports: grpc ? [httpPort(name), grpc] : [httpPort(name)],
    readyMs: 60_000,
    graceMs: 20_000,
    async prepare(context) {
      if (!existsSync(join(directory(context), 'dist/main.js'))) {
        throw new Error(`eshop-${name} is not built; "eshop up" does it (or "eshop build ${name}")`);
      }
    },
    command(context) {
      return {
        file: process.execPath,
        args: [...nodeArguments, 'dist/main.js'],
        cwd: directory(context),
        env: serviceEnvironment(context, name),
        build: `${treeHash(join(directory(context), 'dist'), { all: true })} ${treeHash(join(directory(context), 'config'))}`,
      };
    },
    async check(context) {
      const url = `http://127.0.0.1:${context.ports[httpPort(name)]}/ready`;
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text.slice(0, 300)}`);
    },
  };
}
