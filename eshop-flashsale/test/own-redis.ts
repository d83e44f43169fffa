import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '@eshop/nest-dtm/testing';
import { eventually } from '@eshop/nest-service/testing';
import { Redis } from 'ioredis';

/** A Redis of one spec. */
export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  /** A connection that the spec turns its settings by. */
  readonly admin: Redis;
  /** Kills it and removes its files. */
  remove(): Promise<void>;
}

export async function ownRedis(): Promise<OwnRedis> {
  const [dir, port] = [await mkdtemp(join(tmpdir(), 'flashsale-')), await freePort()];
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  // Quick to follow: a replica's first copy is not put off.
  const replication = ['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'];
  // Debian's redis-tools carry the server under the name redis-check-rdb; it looks at the name it is called by.
  const server = spawn(program('redis-server', 'redis-check-rdb'), [...settings, ...replication], {
    argv0: 'redis-server',
    stdio: 'ignore',
  });
  const ended = once(server, 'exit');
  const admin = new Redis(port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  admin.on('error', () => undefined);
  await eventually(() => admin.ping(), 'Redis to be ready');
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    admin,
    remove: async () => {
      admin.disconnect();
      server.kill('SIGKILL');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The first of these programs that is on the PATH. */
function program(...names: string[]): string {
  for (const name of names) {
    for (const dir of (process.env.PATH ?? '').split(delimiter))
      if (existsSync(join(dir, name))) return join(dir, name);
  }
  throw new Error(`none of ${names.join(', ')} is on the PATH`);
}
