import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import mysql from 'mysql2/promise';
import { helperStarted, throwIfInterrupted } from '../../base/interrupt.ts';
import { lastLines, runLogged } from '../../base/run-logged.ts';
import { waitFor } from '../../base/wait.ts';
import type { Context } from '../../context.ts';
import { startScript } from '../../packages/repositories.ts';
import { databaseUser } from '../../parts/database-users.ts';
import { serviceEnvironment } from '../../parts/service.ts';
import { type ServiceName, servicesWithDatabase } from '../../parts/service-names.ts';

const READY_MS = 60_000;
/** Longer than the services' own drain. */
const END_MS = 20_000;

/** Starts a service as `npm start` does, without npm between it and the signal. */
function launch(directory: string, env: Record<string, string>, log: string): ChildProcess {
  const { script } = startScript({ name: basename(directory), directory });
  const output = openSync(log, 'w', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', script], {
      cwd: directory,
      env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, ...env },
      stdio: ['ignore', output, output],
    });
    helperStarted(child);
    child.once('error', () => {});
    return child;
  } finally {
    closeSync(output);
  }
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  await waitFor(
    `${url} answers 200`,
    async () => {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 300)}`);
    },
    {
      timeoutMs: READY_MS,
      giveUp: () => {
        throwIfInterrupted();
        if (child.exitCode !== null || child.signalCode !== null) throw new Error('the service ended by itself');
      },
    },
  );
}

/** @throws Error unless the service ends by itself, with 0, once it is told to */
async function endsWell(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(END_MS) });
  child.kill('SIGTERM');
  const [code, signalName] = (await exit.catch(() => {
    throw new Error(`it still runs ${END_MS / 1000} s after SIGTERM`);
  })) as [number | null, string | null];
  if (code !== 0) throw new Error(`after SIGTERM it ended with ${signalName ?? code}`);
}

/** The system tests begin with empty tables. */
async function dropDatabase(context: Context, name: ServiceName): Promise<void> {
  const connection = await mysql.createConnection(context.mysqlRootUrl());
  try {
    await connection.query(`DROP DATABASE IF EXISTS \`${databaseUser(context, name).database}\``);
  } finally {
    await connection.end();
  }
}

/**
 * Starts a built service from its directory with its own account and database, talks to it over HTTP and gRPC, and tells it
 * to end. The other services need not run.
 * @throws Error that says what went wrong, with the end of the service's log
 */
export async function startAlone(context: Context, name: ServiceName, directory: string): Promise<void> {
  const env = serviceEnvironment(context, name);
  const log = join(context.paths.logs, `alone-${name}.log`);
  const child = launch(directory, env, log);
  try {
    await untilReady(child, `http://127.0.0.1:${env.HTTP_PORT}/ready`);
    const ports = [env.HTTP_PORT ?? '', ...(env.GRPC_PORT ? [env.GRPC_PORT] : [])];
    await runLogged({
      file: process.execPath,
      args: [join(import.meta.dirname, 'talk.ts'), name, directory, ...ports],
      log: join(context.paths.logs, `alone-${name}-talk.log`),
    });
    await endsWell(child);
  } catch (error) {
    const lines = lastLines(log, 8).map((line) => `  | ${line.slice(0, 300)}`);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error([reason, ...lines, `The service's log: ${log}`].join('\n'), { cause: error });
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    if (servicesWithDatabase.includes(name)) await dropDatabase(context, name);
  }
}
