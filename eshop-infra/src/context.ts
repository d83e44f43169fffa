import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ports, portsOf, replicasOf } from './ports.ts';
import { type Secrets, secretsOf } from './secrets.ts';
import { stacks } from './stacks/all.ts';
import { recordedStack } from './stacks/choice.ts';
import type { Stack } from './stacks/stack.ts';

/** Directories; all absolute. */
export interface Paths {
  /** The directory that holds the repositories. */
  root: string;
  /** eshop-infra. */
  infra: string;
  /** What clones share: Node 24, the DTM binary, Kafka's jars. */
  cache: string;
  /** Everything of this instance; `eshop reset` removes it. */
  state: string;
  data: string;
  logs: string;
  /** Process id files and generated configuration. */
  run: string;
  /** Short, because a Unix socket's path may have 107 characters at most. */
  sockets: string;
}

export interface RunningProcess {
  /** The part's name as in `eshop status`: mysql, redis, kafka, dtm-mysql, dtm-redis, registry, or a service. */
  name: string;
  pid: number;
}

/** One instance of the system: what every command works on. */
export interface Context {
  instance: string;
  ports: Ports;
  /** Processes of each service. */
  replicas: number;
  paths: Paths;
  secrets: Secrets;
  /** URL of the database server with all rights, for mysql2: `mysql://root:…@127.0.0.1:3306/<database>`. */
  mysqlRootUrl(database?: string): string;
  /** `http://127.0.0.1:8080` */
  gatewayUrl: string;
  /** How its parts are run; processes of this machine while the instance has not been begun. */
  stack: Stack;
  /** Names its containers, networks, volumes and images: no other clone has the same one. */
  project: string;
  /** The parts of this instance that run now. */
  processes(): Promise<RunningProcess[]>;
}

export interface ContextOptions {
  /** `default` when absent; letters, digits, `-` and `_`. */
  instance?: string;
  env?: NodeJS.ProcessEnv;
}

const infra = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** @throws Error when the instance's name or a port is not valid */
export function createContext({ instance = 'default', env = process.env }: ContextOptions = {}): Context {
  if (!/^[a-z0-9][a-z0-9_-]{0,30}$/.test(instance)) {
    throw new Error(`an instance's name has lower-case letters, digits, - and _ only (31 at most), not "${instance}"`);
  }
  const root = resolve(infra, '..');
  const state = join(env.ESHOP_STATE ?? join(root, '.eshop'), instance);
  const key = createHash('sha256').update(state).digest('hex').slice(0, 8);
  const paths: Paths = {
    root,
    infra,
    cache: env.ESHOP_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'eshop'),
    state,
    data: join(state, 'data'),
    logs: join(state, 'logs'),
    run: join(state, 'run'),
    sockets: join('/tmp', `eshop-${userInfo().uid}-${key}`),
  };
  const ports = portsOf(instance, env);
  return {
    instance,
    ports,
    replicas: replicasOf(env),
    paths,
    get stack() {
      return stacks[recordedStack(paths) ?? 'native'];
    },
    project: `eshop-${instance}-${key}`,
    get secrets() {
      return secretsOf(state);
    },
    mysqlRootUrl(database = '') {
      return `mysql://root:${secretsOf(state).mysqlRoot}@127.0.0.1:${ports.mysql}/${database}`;
    },
    gatewayUrl: `http://127.0.0.1:${ports.gwHttp}`,
    processes() {
      return this.stack.processes(this);
    },
  };
}

/** Makes the instance's directories; the state directory is closed to other users, since it holds passwords. */
export function makeDirectories({ paths }: Context): void {
  mkdirSync(dirname(paths.state), { recursive: true });
  for (const directory of [paths.state, paths.data, paths.logs, paths.run, paths.sockets]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  mkdirSync(paths.cache, { recursive: true });
}
