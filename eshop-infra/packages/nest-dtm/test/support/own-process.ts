import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { until } from './until.js';

/** A server that belongs to one spec. */
export interface OwnProcess {
  /** Ends it as `kill -9` does, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again after `kill()`, with what it has on disk. */
  start(): Promise<void>;
  /** Stops it where it stands, as SIGSTOP does, until it is thawed or killed. */
  freeze(): void;
  thaw(): void;
  /** Kills it and removes its files. */
  remove(): Promise<void>;
  /** Its directory. */
  dir: string;
}

/** Starts a program in a directory of its own and waits until `ready` is true. */
export async function ownProcess(
  file: string,
  args: (dir: string) => string[],
  environment: NodeJS.ProcessEnv,
  ready: () => Promise<boolean>,
  argv0?: string,
): Promise<OwnProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'nest-dtm-'));
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  const kill = async (): Promise<void> => {
    child?.kill('SIGKILL');
    await ended;
  };
  const start = async (): Promise<void> => {
    const started = spawn(file, args(dir), { cwd: dir, env: environment, stdio: 'ignore', argv0 });
    child = started;
    ended = new Promise((resolve) => started.once('exit', resolve).once('error', resolve));
    await until(`${file} is ready`, () => ready().catch(() => false));
  };
  await start();
  return {
    dir,
    kill,
    start,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    remove: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The first of these programs that is on the PATH. */
export function onPath(...names: string[]): string {
  for (const name of names) {
    for (const dir of (process.env.PATH ?? '').split(delimiter)) {
      if (existsSync(join(dir, name))) return join(dir, name);
    }
  }
  throw new Error(`none of ${names.join(', ')} is on the PATH`);
}
