import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { eventually, type TestDatabase } from '@eshop/nest-service/testing';

/** The service as a process of its own, with the limits of memory that it is started with. */
export interface ProductProcess {
  readonly http: string;
  readonly grpc: string;
  /** Resident memory now and at its highest, MB. */
  memory(): { now: number; most: number };
  isAlive(): boolean;
  stop(): Promise<void>;
}

/** Compiles and starts the service with the options that `npm start` and the image give to Node. */
export async function startProcess(database: TestDatabase): Promise<ProductProcess> {
  const compiled = 'node_modules/.cache/product';
  const compiler = ['node_modules/ts7/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', compiled];
  execFileSync(process.execPath, compiler, { stdio: 'inherit' });
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  const [httpPort, grpcPort] = [await freePort(), await freePort()];
  const { host, port, user, password, database: name } = database.mysql;
  const child = fork(`${compiled}/main.js`, {
    execArgv: scripts.start.match(/--\S+/g) ?? [],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      HTTP_PORT: String(httpPort),
      GRPC_PORT: String(grpcPort),
      LOG_LEVEL: 'silent',
      MYSQL_HOST: host,
      MYSQL_PORT: String(port),
      MYSQL_USER: user,
      MYSQL_PASSWORD: password,
      MYSQL_DATABASE: name,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const http = `http://127.0.0.1:${httpPort}`;
  await eventually(async () => (await fetch(`${http}/health`).catch(() => undefined))?.ok || undefined, 'the service');
  const status = () => readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const megabytes = (key: string) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status())?.[1]) / 1024);
  return {
    http,
    grpc: `127.0.0.1:${grpcPort}`,
    memory: () => ({ now: megabytes('VmRSS'), most: megabytes('VmHWM') }),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
