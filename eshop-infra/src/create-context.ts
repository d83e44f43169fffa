import { createHash } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context, Paths } from './context.ts';
import { portsOf, replicasOf } from './ports.ts';
import { secretsOf } from './secrets.ts';
import { stacks } from './stacks/all.ts';
import { recordedStack } from './stacks/choice.ts';

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
