import { type ServiceName, serviceNames } from './parts/service-names.ts';

/**
 * Where each part listens. The default instance has the ports of the contract; every other instance is moved as a whole,
 * so that copies of the system run side by side. Each port can be set by hand: ESHOP_PORT_STOCK_HTTP=31380.
 */

const defaults = {
  mysql: 3306,
  redis: 6379,
  kafka: 9092,
  kafkaController: 9093,
  dtmMysqlHttp: 36789,
  dtmMysqlGrpc: 36790,
  dtmRedisHttp: 35789,
  dtmRedisGrpc: 35790,
  registry: 4873,
  gwHttp: 8080,
  userHttp: 30080,
  userGrpc: 30082,
  productHttp: 30180,
  productGrpc: 30182,
  orderHttp: 30280,
  orderGrpc: 30282,
  stockHttp: 30380,
  stockGrpc: 30382,
  couponHttp: 30480,
  couponGrpc: 30482,
  payHttp: 30580,
  payGrpc: 30582,
  flashsaleHttp: 30680,
  flashsaleGrpc: 30682,
} as const;

type WithGrpc = Exclude<ServiceName, 'gw'>;
type MoreReplicas = 2 | 3;

/** `stock2Http` is the second replica's; at `stockBranches` the balancer takes DTM's calls for all replicas of stock. */
export type PortName =
  | keyof typeof defaults
  | `${ServiceName}${MoreReplicas}Http`
  | `${WithGrpc}${MoreReplicas}Grpc`
  | `${WithGrpc}Branches`;
export type Ports = Readonly<Record<PortName, number>>;

/** How many replicas of a service there can be on one machine: as many as find room in the ten ports of each service. */
export const MAX_REPLICAS = 3;

/** All within the ten of the first replica, since that ten is what keeps instances apart. */
function replicaPorts(): [PortName, number][] {
  const ports: [PortName, number][] = [];
  for (const name of serviceNames) {
    const first = defaults[`${name}Http`];
    if (name !== 'gw') ports.push([`${name}Branches`, first + 1]);
    for (const replica of [2, 3] as const) {
      const http = first + 3 * replica - 2;
      ports.push([`${name}${replica}Http`, http]);
      if (name !== 'gw') ports.push([`${name}${replica}Grpc`, http + 1]);
    }
  }
  return ports;
}

/** Ports from here up move down by the offset, the others up: all stay below Linux's ephemeral range (32768). */
const MOVES_DOWN_FROM = 30_000;

/** `dtmMysqlHttp` → `ESHOP_PORT_DTM_MYSQL_HTTP`. */
export function portVariable(name: PortName): string {
  return `ESHOP_PORT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * How far an instance's ports are from the contract's: 0 for `default`, 10000 for `test`, between 2010 and 9880 for other
 * names (the same name gives the same ports everywhere). ESHOP_PORT_OFFSET overrides it.
 */
export function portOffset(instance: string, env: NodeJS.ProcessEnv): number {
  const given = env.ESHOP_PORT_OFFSET;
  if (given !== undefined && given !== '') {
    const offset = Number(given);
    if (!Number.isInteger(offset) || offset < 0 || offset > 20_000) {
      throw new Error(`ESHOP_PORT_OFFSET must be a whole number from 0 to 20000, not "${given}"`);
    }
    return offset;
  }
  if (instance === 'default') return 0;
  if (instance === 'test') return 10_000;
  let hash = 0;
  for (const letter of instance) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 8_000;
  // never a multiple of 100, which is how far services are apart: no clash with `default` and `test`
  return 2_000 + (hash % 79) * 100 + 10 + (hash % 8) * 10;
}

/** ESHOP_REPLICAS: how many processes of each service there are, default 1. @throws Error when it is no number that is possible */
export function replicasOf(env: NodeJS.ProcessEnv): number {
  const replicas = Number(env.ESHOP_REPLICAS || 1);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
    throw new Error(`ESHOP_REPLICAS must be a whole number from 1 to ${MAX_REPLICAS}, not "${env.ESHOP_REPLICAS}"`);
  }
  return replicas;
}

/** @throws Error naming the variable when a port is not a port, or when two parts were given the same one */
export function portsOf(instance: string, env: NodeJS.ProcessEnv): Ports {
  const offset = portOffset(instance, env);
  const ports: Record<string, number> = {};
  const owners = new Map<number, PortName>();
  const all = [...(Object.entries(defaults) as [PortName, number][]), ...replicaPorts()];
  for (const [name, contract] of all) {
    const variable = portVariable(name);
    const given = env[variable];
    const moved = contract >= MOVES_DOWN_FROM ? contract - offset : contract + offset;
    const port = given === undefined || given === '' ? moved : Number(given);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new Error(`${variable} must be a port from 1 to 65535, not "${given ?? port}"`);
    }
    const other = owners.get(port);
    if (other) throw new Error(`${portVariable(other)} and ${variable} are both ${port}`);
    owners.set(port, name);
    ports[name] = port;
  }
  return ports as Ports;
}
