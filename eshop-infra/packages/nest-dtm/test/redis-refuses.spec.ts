import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { DtmNotDone, DtmOutcomeUnknown, type LocalStep, type Transaction } from '../src/index.js';
import { redisBarrier, refusedWrite } from '../src/redis.js';
import { DtmCaller, freePort } from '../src/testing/index.js';
import { signature } from './support/bank.js';
import { Kiosk, type KioskApp, startKiosk, take } from './support/kiosk.js';
import type { OwnProcess } from './support/own-process.js';
import { ownRedis } from './support/own-redis.js';
import { until } from './support/until.js';

/** What makes a server refuse writes, and what ends that. */
interface Trouble {
  begin(admin: Redis): Promise<unknown>;
  end(admin: Redis): Promise<unknown>;
}

describe('a Redis that refuses writes', () => {
  let server: OwnProcess;
  let port: number;
  let redis: Redis;
  let admin: Redis;
  let kiosk: KioskApp;
  let caller: DtmCaller;

  beforeAll(async () => {
    ({ server, port } = await ownRedis());
    redis = new Redis(port, { enableOfflineQueue: false, lazyConnect: true });
    admin = new Redis(port);
    for (const one of [redis, admin]) one.on('error', () => undefined);
    await redis.connect();
    kiosk = await startKiosk(redisBarrier(redis));
    caller = new DtmCaller({ signature, grpcAddress: kiosk.grpcAddress, http: kiosk.http });
  });
  afterAll(async () => {
    caller?.close();
    await kiosk?.close();
    redis?.disconnect();
    admin?.disconnect();
    await server?.remove();
  });

  const end = (admin: Redis, ...settings: string[]) => admin.config('SET', ...(settings as ['', '']));
  const troubles: Record<string, Trouble> = {
    READONLY: {
      begin: async (admin) => admin.replicaof('127.0.0.1', await freePort()),
      end: (admin) => admin.replicaof('NO', 'ONE'),
    },
    MASTERDOWN: {
      begin: async (admin) => {
        await admin.config('SET', 'replica-serve-stale-data', 'no');
        await admin.replicaof('127.0.0.1', await freePort());
      },
      end: async (admin) => {
        await admin.replicaof('NO', 'ONE');
        await admin.config('SET', 'replica-serve-stale-data', 'yes');
      },
    },
    NOREPLICAS: {
      begin: (admin) => admin.config('SET', 'min-replicas-to-write', '1'),
      end: (admin) => end(admin, 'min-replicas-to-write', '0'),
    },
    OOM: {
      begin: (admin) => admin.config('SET', 'maxmemory', '1'),
      end: (admin) => end(admin, 'maxmemory', '0'),
    },
    BUSY: {
      begin: async (admin) => {
        await admin.config('SET', 'busy-reply-threshold', '1');
        const other = new Redis(port);
        other
          .eval('while true do end', 0)
          .catch(() => undefined)
          .finally(() => other.disconnect());
        await until('the script holds Redis up', () =>
          admin.ping().then(
            () => false,
            (error: Error) => error.message.startsWith('BUSY'),
          ),
        );
      },
      end: (admin) => admin.script('KILL'),
    },
    MISCONF: {
      begin: async (admin) => {
        await rm(server.dir, { recursive: true });
        await admin.config('SET', 'save', '3600 1');
        await admin.bgsave().catch(() => undefined);
        await until('it cannot save', async () => /rdb_last_bgsave_status:err/.test(await admin.info('persistence')));
      },
      end: (admin) => end(admin, 'save', ''),
    },
  };

  const local = (key: string): LocalStep<unknown> => redisBarrier(redis).local(take({ key, amount: 1 }));
  const send = (gid: string, step: LocalStep<unknown>, fresh: boolean, to = '{kiosk}:none') =>
    kiosk.dtm
      .message(gid, { timeoutToFail: 2, retryInterval: 1 })
      .step(Kiosk.take, { key: to, amount: 1 })
      .prepareAndSubmit(step, { backCheck: Kiosk.asked, fresh });
  const stored = (gid: string, status: Transaction['status']) =>
    until(`${gid} ${status}`, async () => (await kiosk.dtm.query(gid))?.status === status, 60_000);

  test.each(Object.entries(troubles))(
    '%s: a local step is not done, and its message aborted, at once',
    async (code, it) => {
      const [gid, key] = [`{${code}}-${randomUUID()}`, `{${code}}:${randomUUID()}`];
      await redis.set(key, 6);
      // Whatever is connected and compiled at the first call.
      await send(`{${code}}-${randomUUID()}`, local(key), true);
      await it.begin(admin);
      try {
        const started = performance.now();
        await expect(send(gid, local(key), true)).rejects.toMatchObject({
          ...{ name: 'DtmNotDone', code: 'DTM_NOT_DONE', message: expect.stringContaining(code) },
        });
        expect(performance.now() - started).toBeLessThan(2_000);
        expect((await kiosk.dtm.query(gid))?.status).toBe('failed');
        const branch = await caller.grpc(Kiosk.take, { gid: `{${code}}-${randomUUID()}` }, { key, amount: 1 });
        expect(branch.status).toBe(14);
      } finally {
        await it.end(admin);
      }
      expect(await until('it works again', () => redis.get(key).catch(() => undefined))).toBe('5');
      await until('it takes writes again', () =>
        send(`{${code}}-${randomUUID()}`, local(key), true).catch(() => undefined),
      );
      expect(await redis.get(key)).toBe('4');
    },
  );

  test('a gid that another call may have: it did nothing, and DTM has it aborted when the back-check can be answered', async () => {
    const [gid, key] = [`{a}-${randomUUID()}`, `{a}:${randomUUID()}`];
    await redis.set(key, 5);
    await troubles.READONLY?.begin(admin);
    try {
      await expect(send(gid, local(key), false)).rejects.toBeInstanceOf(DtmNotDone);
      expect((await kiosk.dtm.query(gid))?.status).toBe('prepared');
    } finally {
      await troubles.READONLY?.end(admin);
    }
    await stored(gid, 'failed');
    expect(await redis.get(key)).toBe('5');
  }, 60_000);

  test('a step whose first attempt was not answered stays unknown, whatever is refused afterwards', async () => {
    const [gid, key] = [`{b}-${randomUUID()}`, `{b}:${randomUUID()}`];
    await redis.set(key, 5);
    const step = local(key);
    let attempts = 0;
    const unanswered: LocalStep<unknown> = {
      run: async (id, mark) => {
        if (++attempts > 1) return step.run(id, mark);
        await step.run(id, mark);
        await troubles.READONLY?.begin(admin);
        throw new Error('Connection is closed.');
      },
      check: (id, mark) => step.check(id, mark),
    };
    try {
      // The mark of the first attempt is there: reading it is no write.
      expect(await send(gid, unanswered, true)).toMatchObject({ repeat: true });
      const lost: LocalStep<unknown> = { ...unanswered, check: () => Promise.reject(new DtmNotDone('no')) };
      lost.run = async () => {
        if (attempts++ > 2) throw new DtmNotDone('no');
        throw new Error('Connection is closed.');
      };
      await expect(send(`{b}-${randomUUID()}`, lost, true)).rejects.toBeInstanceOf(DtmOutcomeUnknown);
    } finally {
      await troubles.READONLY?.end(admin);
    }
    expect(await redis.get(key)).toBe('4');
  });

  test('no connection, and no queue for one: nothing was sent', async () => {
    const away = new Redis(await freePort(), { enableOfflineQueue: false, lazyConnect: true });
    const step = redisBarrier(away).local(take({ key: '{c}:x', amount: 1 }));
    const gid = `{c}-${randomUUID()}`;
    await expect(send(gid, step, true)).rejects.toMatchObject({ message: expect.stringContaining('NOT_SENT') });
    expect((await kiosk.dtm.query(gid))?.status).toBe('failed');
    away.disconnect();
  });
});

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

describe('what certainly did nothing', () => {
  test.each([
    ["READONLY You can't write against a read only replica.", 'READONLY'],
    ["READONLY You can't write against a read only replica. script: 3e6f, on @user_script:12.", 'READONLY'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'OOM'],
    ["OOM command not allowed when used memory > 'maxmemory'. script: 3e6f, on @user_script:5.", 'OOM'],
    ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS'],
    ['MISCONF Redis is configured to save RDB snapshots', 'MISCONF'],
    ['LOADING Redis is loading the dataset in memory', 'LOADING'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'MASTERDOWN'],
    ['BUSY Redis is busy running a script.', 'BUSY'],
    ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN'],
    ['NOAUTH Authentication required.', 'NOAUTH'],
    [
      "ERR Error running script (call to f_3e6f): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
      'OOM',
    ],
    [
      "ERR Error running script (call to f_3e6f): @user_script:7: @user_script: 7: -READONLY You can't write against a read only slave.",
      'READONLY',
    ],
    ['ERR Error running script (call to f_3e6f): @user_script:7: attempt to index a nil value', undefined],
    ['ERR unknown command', undefined],
    ['BUSYKEY Target key name already exists.', undefined],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', undefined],
  ])('%s', (message, code) => {
    expect(refusedWrite(reply(message))).toBe(code);
    // An application's own words are none of Redis's.
    expect(refusedWrite(new Error(message))).toBeUndefined();
  });

  test.each(['Command timed out', 'Connection is closed.', 'no answer from Redis within 2000 ms'])(
    'not: %s',
    (message) => {
      expect(refusedWrite(new Error(message))).toBeUndefined();
    },
  );
});
