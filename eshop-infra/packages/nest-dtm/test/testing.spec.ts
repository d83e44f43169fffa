import { Redis } from 'ioredis';
import { newGid } from '../src/index.js';
import { redisBarrier } from '../src/redis.js';
import { backCheckOf, DtmCaller, freePort, transactionEnd } from '../src/testing/index.js';
import { throwAwayDatabase } from '../src/testing/mysql.js';
import { signature } from './support/bank.js';
import { env } from './support/env.js';
import { Kiosk, type KioskApp, startKiosk } from './support/kiosk.js';
import { throwAwayRedis } from './support/redis.js';

describe('helpers for the tests of services', () => {
  let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
  let kiosk: KioskApp;
  beforeAll(async () => {
    redis = await throwAwayRedis();
    kiosk = await startKiosk(redisBarrier(redis.redis));
  });
  afterAll(async () => {
    await kiosk?.close();
    await redis?.close();
  });

  test('a call’s metadata says what DTM says, signed; what is empty is left out', () => {
    const caller = new DtmCaller({ signature });
    const payload = { key: 'k', amount: 1 };
    const metadata = {
      'dtm-gid': 'g',
      'dtm-op': 'action',
      'dtm-branch_id': '01',
      'dtm-trans_type': 'saga',
    };
    expect(caller.metadata({ gid: 'g' })).toEqual(metadata);
    const signed = { ...metadata, 'dtm-signature': expect.stringMatching(/^now\./) };
    expect(caller.metadata({ gid: 'g' }, Kiosk.take, payload)).toEqual(signed);
    const client = { take: (...args: unknown[]) => args, address: 'here' };
    const signing = caller.signing(client, Kiosk);
    expect(signing.take(payload, { metadata, deadlineMs: 5 })).toEqual([payload, { metadata: signed, deadlineMs: 5 }]);
    expect(signing.take(payload, { metadata: {} })).toEqual([payload, { metadata: {} }]);
    expect(signing.take(payload)).toEqual([payload, undefined]);
    expect(signing.address).toBe('here');
    expect(caller.metadata({ ...backCheckOf('g'), signature: '' })).toEqual({
      'dtm-gid': 'g',
      'dtm-op': 'msg',
      'dtm-branch_id': '00',
      'dtm-trans_type': 'msg',
    });
    expect(new DtmCaller({ signature: false }).metadata({ gid: 'g' }, Kiosk.take, payload)).not.toHaveProperty(
      'dtm-signature',
    );
    expect(() => caller.grpc(Kiosk.take, { gid: 'g' }, { key: 'k', amount: 1 })).toThrow('grpcAddress');
  });

  test.each(['grpc', 'http'] as const)('a branch called over %s answers as it answers DTM', async (transport) => {
    const caller = new DtmCaller({ signature, grpcAddress: kiosk.grpcAddress, http: kiosk.http });
    const [gid, key] = [`{${redis.tag}}-${newGid()}`, `{${redis.tag}}:${newGid()}`];
    await redis.redis.set(key, 3);
    const call = (id: string) =>
      transport === 'grpc'
        ? caller.grpc(Kiosk.take, { gid: id }, { key, amount: 2 })
        : caller.http('/take', { gid: id }, { key, amount: 2 });
    expect(await call(gid)).toEqual({ status: transport === 'grpc' ? 0 : 200, text: transport === 'grpc' ? '' : '{}' });
    const refused = await call(`${gid}-2`);
    expect(refused.status).toBe(transport === 'grpc' ? 10 : 409);
    expect(refused.text).toContain('only 1 left');
    caller.close();
  });

  test.each([
    ['a DtmService', () => kiosk.dtm],
    ['the address of a DTM', () => env.dtmHttp],
  ])('the end of a transaction is waited for, by %s', async (_, dtm) => {
    const [gid, key] = [`{${redis.tag}}-${newGid()}`, `{${redis.tag}}:${newGid()}`];
    const saga = kiosk.dtm.saga(gid).step(Kiosk.take, Kiosk.takeRevert, { key, amount: 2 });
    await saga.submit({ fresh: true });
    expect(await transactionEnd(dtm(), gid)).toMatchObject({ gid, status: 'failed' });
  });

  test('a wait in vain tells what is known', async () => {
    const gid = `{${redis.tag}}-${newGid()}`;
    await expect(transactionEnd(kiosk.dtm, gid, 50)).rejects.toThrow(
      `${gid} is not final after 50 ms: DTM does not know`,
    );
    await expect(transactionEnd(`http://127.0.0.1:${await freePort()}/`, gid, 50)).rejects.toThrow(
      'DTM does not answer',
    );
    const broken = { query: () => Promise.reject(new TypeError('no such thing')) };
    await expect(transactionEnd(broken, gid, 50)).rejects.toThrow('no such thing');
    await kiosk.dtm
      .message(gid, { delay: 600 })
      .step(Kiosk.take, { key: `{${redis.tag}}:x`, amount: 1 })
      .submit({ fresh: true });
    await expect(transactionEnd(kiosk.dtm, gid, 50)).rejects.toThrow('submitted, 01 action prepared');
  });

  test('a throw-away database has the barrier table and what its migrations make; one that fails is told', async () => {
    class Fails {
      readonly name = 'Fails1700000000001';
      async up(): Promise<void> {
        throw new Error('no table today');
      }
      async down(): Promise<void> {}
    }
    const { dataSource, drop } = await throwAwayDatabase(env.mysqlUrl, { poolSize: 2 });
    expect(await dataSource.query('SELECT COUNT(*) AS n FROM barrier')).toEqual([{ n: '0' }]);
    await expect(throwAwayDatabase(env.mysqlUrl, { migrations: [Fails] })).rejects.toThrow('no table today');
    await drop();
  });

  test('a free port is nobody’s', async () => {
    const redisThere = new Redis(await freePort(), { lazyConnect: true, retryStrategy: () => null });
    redisThere.on('error', () => undefined);
    await expect(redisThere.connect()).rejects.toThrow();
  });
});
