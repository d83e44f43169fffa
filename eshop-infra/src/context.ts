import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';
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

/** How a person calls the command for this instance: `eshop --instance test start mysql`. */
export function commandLine({ instance }: Context, command: string): string {
  return instance === 'default' ? `eshop ${command}` : `eshop --instance ${instance} ${command}`;
}

/** Makes the instance's directories; the state directory is closed to other users, since it holds passwords. */
export function makeDirectories({ paths }: Context): void {
  mkdirSync(dirname(paths.state), { recursive: true });
  for (const directory of [paths.state, paths.data, paths.logs, paths.run, paths.sockets]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  mkdirSync(paths.cache, { recursive: true });
}
