import { Redis } from 'ioredis';
import { freePort } from '../../src/testing/index.js';
import { type OwnProcess, onPath, ownProcess } from './own-process.js';

/** A Redis of one spec, each write on disk before it is answered. */
export async function ownRedis(): Promise<{ port: number; server: OwnProcess }> {
  const port = await freePort();
  // Debian's redis-tools carry the server under the name redis-check-rdb; it looks at the name it is called by.
  const server = await ownProcess(
    onPath('redis-server', 'redis-check-rdb'),
    (dir) => [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--save',
      '',
    ],
    process.env,
    async () => {
      const redis = new Redis(port, { lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => undefined);
      try {
        await redis.connect();
        return (await redis.ping()) === 'PONG';
      } finally {
        redis.disconnect();
      }
    },
    'redis-server',
  );
  return { port, server };
}
