import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { serviceRepository, startScript } from '../packages/repositories.ts';
import { treeHash } from '../packages/source-hash.ts';
import type { PortName } from '../ports.ts';
import { databaseUser } from './database-users.ts';
import type { Part } from './part.ts';
import { contractName, type ServiceName, serviceNames, servicesWithDatabase } from './service-names.ts';

/** Which of a service's processes: 1 is the one with the contract's ports. */
type Replica = number;

const ofReplica = (replica: Replica) => (replica === 1 ? '' : String(replica));
const httpPort = (name: ServiceName, replica: Replica = 1) => `${name}${ofReplica(replica)}Http` as PortName;
const grpcPort = (name: ServiceName, replica: Replica = 1): PortName | undefined =>
  name === 'gw' ? undefined : (`${name}${ofReplica(replica)}Grpc` as PortName);

/** `flashSale` → `FLASH_SALE`, as the services spell the path of a setting. */
const upperSnake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/**
 * Where each service finds the others, and DTM their branches, by the names that configurations use
 * (`grpcClients.stock.address`). A client balances over the replicas by itself; DTM knows one address for each branch.
 */
function addresses(context: Context): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of serviceNames) {
    const grpc = grpcAddresses(context, name);
    if (grpc.length === 0) continue;
    const service = upperSnake(contractName(name));
    found[`GRPC_CLIENTS_${service}_ADDRESS`] = grpc.length > 1 ? `ipv4:${grpc.join(',')}` : grpc.join();
    found[`BRANCHES_${service}`] = grpc.length > 1 ? branchAddress(context, name) : grpc.join();
  }
  return found;
}

/** The gRPC addresses of all replicas of a service; the gateway has none. */
export function grpcAddresses({ ports, replicas }: Context, name: ServiceName): string[] {
  return Array.from({ length: replicas }, (_, index) => grpcPort(name, index + 1)).flatMap((port) =>
    port ? [`127.0.0.1:${ports[port]}`] : [],
  );
}

/** Where the balancer takes the calls for a service's replicas. */
export function branchAddress({ ports }: Context, name: ServiceName): string {
  return `127.0.0.1:${ports[`${name}Branches` as PortName]}`;
}

/** What a service stands on beside those that it calls: they must run before it can be ready. */
function needsOf(name: ServiceName): string[] {
  if (name === 'gw') return [];
  if (name === 'flashsale') return ['redis', 'kafka', 'dtm-redis', 'balancer'];
  return name === 'order' ? ['mysql', 'dtm-mysql', 'balancer', 'kafka'] : ['mysql', 'dtm-mysql', 'balancer'];
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

/** The settings of a service as environment variables: its configuration's paths in upper snake case. */
export function serviceEnvironment(context: Context, name: ServiceName, replica: Replica = 1): Record<string, string> {
  const { ports, paths } = context;
  const grpc = grpcPort(name, replica);
  const env: Record<string, string> = {
    NODE_ENV: 'development',
    MALLOC_ARENA_MAX: '2',
    // Fixed: once Node has read its script, malloc else keeps all blocks up to its size (7 MB), and the holes between them.
    MALLOC_MMAP_THRESHOLD_: '32768',
    NODE_COMPILE_CACHE: join(paths.cache, 'compile'),
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(ports[httpPort(name, replica)]),
    LOG_LEVEL: process.env.ESHOP_LOG_LEVEL ?? 'info',
    ...addresses(context),
  };
  if (grpc) {
    Object.assign(env, { GRPC_HOST: '127.0.0.1', GRPC_PORT: String(ports[grpc]), ...dtmSettings(context, name) });
  }
  const needs = needsOf(name);
  if (servicesWithDatabase.includes(name)) Object.assign(env, databaseSettings(context, name));
  if (needs.includes('redis')) env.REDIS_URL = `redis://127.0.0.1:${ports.redis}`;
  if (needs.includes('kafka')) Object.assign(env, { KAFKA_BROKERS: `127.0.0.1:${ports.kafka}` });
  return env;
}

/** One process of a service; replica 2 of stock is the part `stock-2`. */
export function servicePart(name: ServiceName, replica: Replica = 1): Part {
  const http = httpPort(name, replica);
  const grpc = grpcPort(name, replica);
  const directory = (context: Context) => serviceRepository(context, name).directory;
  return {
    name: replica === 1 ? name : `${name}-${replica}`,
    title: `eshop-${name}`,
    needs: needsOf(name),
    ports: grpc ? [http, grpc] : [http],
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
        args: startScript(serviceRepository(context, name)).nodeArguments,
        cwd: directory(context),
        env: serviceEnvironment(context, name, replica),
        build: `${treeHash(join(directory(context), 'dist'), { all: true })} ${treeHash(join(directory(context), 'config'))}`,
      };
    },
    async check(context) {
      const url = `http://127.0.0.1:${context.ports[http]}/ready`;
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text.slice(0, 300)}`);
    },
  };
}
