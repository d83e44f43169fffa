import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { which } from '../base/which.ts';
import type { Context } from '../context.ts';
import type { Part } from './part.ts';

const dataDirectory = (context: Context) => join(context.paths.data, 'redis');

/**
 * Debian's and Ubuntu's redis-tools carry the server under the name redis-check-rdb (redis-server is a link to it), so
 * the package that would start a service of the distribution is not needed.
 */
const server = () => which('redis-server', 'redis-check-rdb');

/** Sends one command in Redis' inline form and gives back the first line of its answer. */
export function askRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(2_000, () => socket.destroy(new Error('Redis does not answer')));
    socket.once('connect', () => socket.write(`${command}\r\n`));
    socket.once('data', (chunk) => {
      resolve(chunk.toString().trim());
      socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('Redis closed the connection')));
  });
}

/** Redis with an append-only file, which a killed server has lost nothing of; nothing is ever evicted. */
export const redisPart: Part = {
  name: 'redis',
  title: 'Redis',
  needs: [],
  ports: ['redis'],
  readyMs: 30_000,
  graceMs: 15_000,

  async missingPackages() {
    return server() ? [] : [{ name: 'redis-tools' }];
  },

  async prepare(context) {
    mkdirSync(dataDirectory(context), { recursive: true, mode: 0o700 });
  },

  command(context) {
    const settings: Record<string, string> = {
      port: String(context.ports.redis),
      bind: '127.0.0.1',
      dir: dataDirectory(context),
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      daemonize: 'no',
      'maxmemory-policy': 'noeviction',
      'ignore-warnings': 'ARM64-COW-BUG',
    };
    return {
      file: server() ?? 'redis-server',
      argv0: 'redis-server',
      args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    };
  },

  async check(context) {
    const answer = await askRedis(context.ports.redis, 'PING');
    if (answer !== '+PONG') throw new Error(`Redis answers ${answer} to PING`);
  },
};
