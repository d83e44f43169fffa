import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Logger, type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import {
  DtmHealthIndicator,
  DtmInvalidOption,
  DtmModule,
  type DtmServerOptions,
  DtmUnavailable,
} from '../src/index.js';
import { freePort } from '../src/testing/index.js';
import { throwAwayDatabase } from './support/database.js';
import { env } from './support/env.js';
import { DTM_TABLES, mysqlStore, ownDtm } from './support/own-dtm.js';
import { ownRedis } from './support/own-redis.js';
import { until } from './support/until.js';

async function start(server: DtmServerOptions, branchSyncCheck = false, logger?: LoggerService) {
  const module = await Test.createTestingModule({
    imports: [DtmModule.forRoot({ servers: { default: server }, signature: false, branchSyncCheck })],
  }).compile();
  if (logger) module.useLogger(logger);
  await module.init();
  return { health: module.get(DtmHealthIndicator), close: () => module.close() };
}

class Warnings implements LoggerService {
  readonly warnings: string[] = [];
  readonly details: string[] = [];
  log(): void {}
  error(): void {}
  warn(message: string): void {
    this.warnings.push(message);
  }
  debug(message: string): void {
    this.details.push(message);
  }
}

/** Takes connections and says nothing. */
async function silentServer(): Promise<{ address: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

afterAll(() => Logger.overrideLogger(false));

describe('health of a DTM server', () => {
  test.each([
    ['MySQL', env.dtmGrpc, env.dtmHttp],
    ['Redis', env.dtmRedisGrpc, env.dtmRedisHttp],
  ])('on %s: up, as often as one asks, with one transaction in its store', async (_, grpc, http) => {
    const { health, close } = await start({ grpc, http });
    for (let repeat = 0; repeat < 3; repeat++) expect(await health.check('dtm')).toEqual({ dtm: { status: 'up' } });
    const { transactions } = await (await fetch(`${http}/api/dtmsvr/all?gid=nest-dtm-health`)).json();
    expect(transactions).toHaveLength(1);
    expect(await health.branchSync()).toBe('on');
    await close();
  });

  test('nobody there, or only one of the two listeners: down, with the reason', async () => {
    const closed = await freePort();
    for (const server of [
      { grpc: `127.0.0.1:${closed}`, http: `http://127.0.0.1:${closed}` },
      { grpc: `127.0.0.1:${closed}`, http: env.dtmHttp },
      { grpc: env.dtmGrpc, http: `http://127.0.0.1:${closed}` },
    ]) {
      const { health, close } = await start(server);
      expect(await health.check('x')).toEqual({ x: { status: 'down', message: expect.stringMatching(/.+/) } });
      await close();
    }
  });

  test.each(['both listeners', 'gRPC', 'HTTP'])(
    'no answer from %s: down, within the time that was given',
    async (silent) => {
      const nobody = await silentServer();
      const { health, close } = await start({
        grpc: silent === 'HTTP' ? env.dtmGrpc : nobody.address,
        http: silent === 'gRPC' ? env.dtmHttp : `http://${nobody.address}`,
      });
      let ended = false;
      const patient = health.check('x', { timeoutMs: 60_000 }).finally(() => {
        ended = true;
      });
      try {
        expect(await health.check('x', { timeoutMs: 100 })).toMatchObject({ x: { status: 'down' } });
        // Begun earlier, and waiting still: it is not one time for all that has ended the other.
        expect(ended).toBe(false);
      } finally {
        await nobody.close();
        expect(await patient).toMatchObject({ x: { status: 'down' } });
        await close();
      }
    },
  );

  test('a server that is not among the options is a wrong option', async () => {
    const { health, close } = await start({ grpc: env.dtmGrpc, http: env.dtmHttp });
    await expect(health.check('x', { server: 'other' })).rejects.toBeInstanceOf(DtmInvalidOption);
    expect(() => health.branchSync({ server: 'other' })).toThrow(DtmInvalidOption);
    await close();
  });

  test('the port answers and the store is full, or gone: down; and up again when it is back', async () => {
    const redis = await ownRedis();
    const dtm = await ownDtm({ STORE_DRIVER: 'redis', STORE_HOST: '127.0.0.1', STORE_PORT: `${redis.port}` });
    const client = new Redis(redis.port, { maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    const { health, close } = await start({ grpc: dtm.grpc, http: dtm.http });
    try {
      expect(await health.check('dtm')).toEqual({ dtm: { status: 'up' } });
      await client.config('SET', 'maxmemory', '1');
      expect(await health.check('dtm')).toMatchObject({ dtm: { status: 'down' } });
      expect((await fetch(`${dtm.http}/api/ping`)).status).toBe(200);
      await client.config('SET', 'maxmemory', '0');
      expect(await health.check('dtm')).toEqual({ dtm: { status: 'up' } });
      await client.flushall();
      expect(await health.check('dtm')).toEqual({ dtm: { status: 'up' } });
      await redis.server.kill();
      expect(await health.check('dtm', { timeoutMs: 500 })).toMatchObject({ dtm: { status: 'down' } });
      await redis.server.start();
      await until('it is up again', async () => (await health.check('dtm')).dtm.status === 'up');
    } finally {
      client.disconnect();
      await close();
      await dtm.server.remove();
      await redis.server.remove();
    }
  });
});

describe('branch sync', () => {
  test('off is seen, and warned of at start', async () => {
    const database = await throwAwayDatabase();
    for (const table of DTM_TABLES) await database.dataSource.query(table);
    const dtm = await ownDtm(mysqlStore(database.name), { UPDATE_BRANCH_SYNC: '0' });
    const logger = new Warnings();
    const { health, close } = await start({ grpc: dtm.grpc, http: dtm.http }, true, logger);
    try {
      expect(await health.branchSync()).toBe('off');
      await until('the warning', () => logger.warnings.find((line) => line.includes('UPDATE_BRANCH_SYNC=1')));
    } finally {
      await close();
      await dtm.server.remove();
      await database.drop();
    }
  });

  test('a server that is not there is no warning, and an error to who asks', async () => {
    const closed = await freePort();
    const logger = new Warnings();
    const { health, close } = await start(
      { grpc: `127.0.0.1:${closed}`, http: `http://127.0.0.1:${closed}` },
      true,
      logger,
    );
    await expect(health.branchSync()).rejects.toBeInstanceOf(DtmUnavailable);
    await until('the detail', () => logger.details.find((line) => line.includes('could not be seen')));
    expect(logger.warnings).toEqual([]);
    await close();
  });
});
