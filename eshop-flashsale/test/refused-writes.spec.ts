import { randomUUID } from 'node:crypto';
import { freePort } from '@eshop/nest-dtm/testing';
import { eventually, send } from '@eshop/nest-service/testing';
import type { Redis } from 'ioredis';
import { type OwnRedis, ownRedis } from './own-redis.js';
import { RedisProxy } from './redis-proxy.js';
import { branch, newProductID, newUserID, type Started, startFlashSale } from './service.js';

const FIVE_SECONDS = 5_000;

/** What makes a server refuse writes, and what ends that. */
interface Trouble {
  begin(admin: Redis): Promise<unknown>;
  end(admin: Redis): Promise<unknown>;
}

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
    end: (admin) => admin.config('SET', 'min-replicas-to-write', '0'),
  },
  OOM: {
    begin: (admin) => admin.config('SET', 'maxmemory', '1'),
    end: (admin) => admin.config('SET', 'maxmemory', '0'),
  },
};

describe('a Redis that refuses writes', () => {
  let servers: [OwnRedis, OwnRedis];
  let name: RedisProxy;
  let shop: Started;
  beforeAll(async () => {
    servers = await Promise.all([ownRedis(), ownRedis()]);
    name = await RedisProxy.to(servers[0].url);
    shop = await startFlashSale({ redis: { url: name.url } });
  });
  afterAll(async () => {
    await shop?.close();
    await name?.close();
    await Promise.all(servers?.map((server) => server.remove()) ?? []);
  });

  const buy = (productID: number, headers?: Record<string, string>) =>
    shop.buy({ userID: newUserID(), productID, amount: 1 }, headers);
  const ready = () => send('GET', `${shop.service.http}/ready`);
  const unitsOf = async (productID: number) => {
    const { left, reserved } = await shop.grpc.getSale({ productID });
    return [left, reserved];
  };
  const isReady = () =>
    eventually(async () => (await ready()).status === 200 || undefined, 'it to be ready', FIVE_SECONDS);

  it.each(Object.entries(troubles))(
    '%s: nothing is bought, which is told at once, and the service is not ready',
    async (code, it) => {
      const productID = newProductID();
      await shop.begin(productID, 5);
      await it.begin(servers[0].admin);
      try {
        for (const headers of [undefined, { 'idempotency-key': randomUUID() }]) {
          const started = performance.now();
          const answers = await Promise.all(Array.from({ length: 10 }, () => buy(productID, headers)));
          expect(performance.now() - started).toBeLessThan(2_000);
          expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [503, 50300]));
        }
        // A replica says so before it says that its master is away.
        const told = new RegExp(`"reason":"(${code}|READONLY)"`);
        const unready = async () => {
          const { status, body } = await ready();
          return status === 503 && told.test(JSON.stringify(body)) ? true : undefined;
        };
        await eventually(unready, `the service to be unready with ${code}`, FIVE_SECONDS);
      } finally {
        await it.end(servers[0].admin);
      }
      await isReady();
      expect(await unitsOf(productID)).toEqual([5, 0]);
      expect((await buy(productID)).status).toBe(200);
      expect(await unitsOf(productID)).toEqual([4, 1]);
    },
  );

  it('a unit goes back whole or not at all when there is no memory', async () => {
    const productID = newProductID();
    const { saleID } = await shop.begin(productID, 5);
    const orderID = String((await buy(productID)).body.data.orderID);
    const giveBack = () =>
      shop.grpc.returnUnit({ productID, saleID, orderID }, branch({ gid: randomUUID(), transType: 'msg' }));
    await troubles.OOM?.begin(servers[0].admin);
    const done = await giveBack().then(
      () => true,
      () => false,
    );
    await troubles.OOM?.end(servers[0].admin);
    await isReady();
    expect(await unitsOf(productID)).toEqual(done ? [5, 0] : [4, 1]);
    await giveBack();
    expect(await unitsOf(productID)).toEqual([5, 0]);
  });

  it.each([
    ['follows it', 0],
    ['loads its data', 1_000],
  ])(
    'that has become a replica and %s: the server under its name is found within 5 s, and no unit is lost',
    async (_, delay) => {
      const productID = newProductID();
      await shop.begin(productID, 1_000);
      expect((await buy(productID)).status).toBe(200);
      const [old, next] = servers;
      if (delay > 0) await old.admin.eval("for i = 1, 10000 do redis.call('SET', 'filler' .. i, i) end", 0);
      await next.admin.replicaof('127.0.0.1', old.port);
      const follows = async () => /master_link_status:up/.test(await next.admin.info('replication')) || undefined;
      await eventually(follows, 'the second to follow the first');
      await old.admin.wait(1, 5_000);
      await next.admin.replicaof('NO', 'ONE');
      if (delay > 0) {
        // Loading takes long, and commands are answered meanwhile. What the new master has not seen makes it send all of its data.
        await old.admin.config('SET', 'key-load-delay', String(delay));
        await old.admin.config('SET', 'loading-process-events-interval-bytes', '1024');
        await old.admin.set('unseen', randomUUID());
      }
      await old.admin.replicaof('127.0.0.1', next.port);
      const told = delay > 0 ? 'loading:1' : 'role:slave';
      await eventually(async () => (await old.admin.info()).includes(told) || undefined, told);
      name.pointAt(next.url);
      let bought = 1;
      const crowd = async () => {
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            buy(productID, index % 2 ? {} : { 'idempotency-key': randomUUID() }),
          ),
        );
        bought += answers.filter(({ status }) => status === 200).length;
        expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
        return answers.every(({ status }) => status === 200) || undefined;
      };
      await eventually(crowd, 'all to buy', FIVE_SECONDS);
      await isReady();
      expect(await unitsOf(productID)).toEqual([1_000 - bought, bought]);
      expect(await next.admin.hlen(`${shop.prefix}{${productID}}:units`)).toBe(bought);
      const records = async () => {
        const all = (await shop.topic.records()).filter(
          ({ value }) => JSON.parse(String(value)).productID === productID,
        );
        return all.length >= bought ? all : undefined;
      };
      expect(await eventually(records, 'an order for each')).toHaveLength(bought);
      servers.reverse();
    },
    60_000,
  );
});
