import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '@eshop/nest-dtm/testing';
import { type Answer, eventually, send, type TestDatabase } from '@eshop/nest-service/testing';
import type { Peers } from './peers.js';
import { type StartOptions, settings } from './service.js';

const MAIN = join(process.cwd(), 'node_modules/.cache/order/main.js');

/** The order service as a process of its own, which can be killed at any moment. */
export interface OrderProcess {
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts the service; `port` is where DTM finds it, the same for one that takes another's place. */
export async function startProcess(
  port: number,
  database: TestDatabase,
  peers: Peers,
  options: StartOptions = {},
): Promise<OrderProcess> {
  const httpPort = await freePort();
  const all = {
    ...settings(port, peers, options),
    mysql: { ...database.mysql, ...options.mysql },
    http: { port: httpPort },
    log: { level: 'silent' },
  };
  const child: ChildProcess = fork(MAIN, {
    env: { ...process.env, NODE_OPTIONS: '', ...environment(all) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${httpPort}`;
  await eventually(
    async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok || undefined,
    'the service to start',
  );
  return {
    post: (path, body, headers) => send('POST', `${url}${path}`, body, headers),
    get: (path) => send('GET', `${url}${path}`),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Settings as environment variables. */
function environment(tree: object, prefix = ''): Record<string, string> {
  return Object.entries(tree).reduce<Record<string, string>>((env, [key, value]) => {
    const name = `${prefix}${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return Object.assign(env, environment(value, `${name}_`));
    }
    env[name] = String(value);
    return env;
  }, {});
}
