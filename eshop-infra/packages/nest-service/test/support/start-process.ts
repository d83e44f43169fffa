import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestDatabase } from '../../src/testing/index.js';

export interface ServiceProcess {
  readonly child: ChildProcess;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** What it wrote so far, both streams. */
  output(): string;
  exited: Promise<number | null>;
}

/** The test application, compiled. */
export const MAIN = join(process.cwd(), 'node_modules/.cache/test-app/test/app/main.js');

/** Starts the test application as a process of its own; rejects with its output when it does not come up. */
export async function startProcess(
  database: TestDatabase['mysql'],
  env: Record<string, string> = {},
  main = MAIN,
): Promise<ServiceProcess> {
  const child = fork(main, {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      HTTP_PORT: '0',
      GRPC_PORT: '0',
      MYSQL_HOST: database.host,
      MYSQL_PORT: String(database.port),
      MYSQL_USER: database.user,
      MYSQL_PASSWORD: database.password,
      MYSQL_DATABASE: database.database,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    output += String(chunk);
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const ports = await Promise.race([once(child, 'message').then(([message]) => message), exited]);
  if (typeof ports !== 'object') throw new Error(`exit ${String(ports)}: ${output}`);
  return { child, ...(ports as { httpPort: number; grpcPort: number }), output: () => output, exited };
}
