import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { DtmOutcomeUnknown, DtmProtocolError, DtmRefused, DtmUnavailable, httpBranch, newGid } from '../src/index.js';
import { redisBarrier } from '../src/redis.js';
import { freePort } from '../src/testing/index.js';
import { stores } from './support/env.js';
import { Kiosk, type KioskApp, startKiosk, type Take } from './support/kiosk.js';
import { throwAwayRedis } from './support/redis.js';
import { until } from './support/until.js';

describe.each(stores)('topics, DTM on $store', ({ store, grpc, http }) => {
  let redis: Awaited<ReturnType<typeof throwAwayRedis>>;
  let kiosk: KioskApp;
  const topic = `topic-${newGid()}`;
  const other = httpBranch<Take>('http://127.0.0.1:1/other');
  let answer = { status: 200, body: '' };
  const strange = createServer((_, response) => response.writeHead(answer.status).end(answer.body));

  beforeAll(async () => {
    redis = await throwAwayRedis();
    const closed = await freePort();
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
    kiosk = await startKiosk(redisBarrier(redis.redis), {
      servers: {
        default: { grpc, http },
        down: { grpc, http: `http://127.0.0.1:${closed}` },
        strange: { grpc, http: `http://127.0.0.1:${(strange.address() as AddressInfo).port}`, deadlineMs: 500 },
      },
    });
  });
  afterAll(async () => {
    await kiosk?.dtm.topics.delete(topic);
    await kiosk?.close();
    strange.close();
    await redis?.close();
  });

  test('subscribe, unsubscribe and delete may be repeated', async () => {
    const { topics } = kiosk.dtm;
    const name = `${topic}.repeat`;
    expect(await topics.subscribers(name)).toEqual([]);
    for (const _ of [1, 2]) {
      await topics.subscribe(name, Kiosk.take, { remark: 'a & b' });
      await topics.subscribe(name, other);
    }
    expect(await topics.subscribers(name)).toEqual([
      { url: `${kiosk.grpcAddress}/kiosk.Kiosk/Take`, remark: 'a & b' },
      { url: 'http://127.0.0.1:1/other', remark: '' },
    ]);
    for (const _ of [1, 2]) await topics.unsubscribe(name, other);
    expect(await topics.subscribers(name)).toHaveLength(1);
    for (const _ of [1, 2]) await topics.delete(name);
    await topics.unsubscribe(name, other);
    expect(await topics.subscribers(name)).toEqual([]);
  });

  test('a topic DTM does not know: DtmRefused, nothing has run', async () => {
    const message = kiosk.dtm.message(newGid()).topic(`${topic}.nobody`, Kiosk.take, { key: 'x', amount: 1 });
    await expect(message.submit()).rejects.toBeInstanceOf(DtmRefused);
  });

  // DTM on Redis looks at a part of its keys for topics only, so whether it finds one depends on what else is there.
  if (store === 'MySQL') {
    test('a message reaches every subscriber', async () => {
      const gid = `{${redis.tag}}-${newGid()}`;
      const key = `{${redis.tag}}:topic`;
      await redis.redis.set(key, 10);
      await kiosk.dtm.topics.subscribe(topic, Kiosk.take);
      await kiosk.dtm.topics.subscribe(topic, httpBranch<Take>(`${kiosk.http}/take`));
      const send = () =>
        kiosk.dtm.message(gid).topic(topic, Kiosk.take, { key, amount: 2 }).submit({ waitResult: true });
      const sent = await until('DTM has read the topic', () =>
        send().catch((error: unknown) => {
          if (error instanceof DtmRefused) return null;
          throw error;
        }),
      );
      expect(sent).toEqual({ gid, status: 'succeed' });
      expect((await kiosk.dtm.query(gid))?.branches.map(({ branchId }) => branchId)).toEqual(['01-01', '01-02']);
      expect(await redis.redis.get(key)).toBe('6');
    });
  }

  test('a wrong name, method or remark fails with its name', async () => {
    const { topics } = kiosk.dtm;
    const invalid = (field: string) => expect.objectContaining({ code: 'DTM_INVALID_OPTION', field });
    await expect(topics.subscribe('a/b', Kiosk.take)).rejects.toEqual(invalid('topic'));
    await expect(topics.delete('')).rejects.toEqual(invalid('topic'));
    await expect(topics.subscribe(topic, { ...Kiosk.take, path: '/no.Service/Do' })).rejects.toEqual(invalid('method'));
    await expect(topics.subscribe(topic, Kiosk.take, { remark: 'ü' })).rejects.toEqual(invalid('remark'));
    await expect(topics.delete(topic, { server: 'nowhere' })).rejects.toEqual(invalid('server'));
  });

  test('DTM down, or something else at its address: a typed error', async () => {
    const { topics } = kiosk.dtm;
    await expect(topics.subscribe(topic, Kiosk.take, { server: 'down' })).rejects.toBeInstanceOf(DtmUnavailable);
    const odd = { server: 'strange' };
    for (answer of [
      { status: 404, body: 'no' },
      { status: 500, body: '<html>' },
      { status: 500, body: '{"kv":[{"v":"1"}]}' },
    ]) {
      await expect(topics.subscribe(topic, Kiosk.take, odd)).rejects.toBeInstanceOf(DtmProtocolError);
    }
    answer = { status: 200, body: '{"kv":[{"v":"{}"}]}' };
    await expect(topics.subscribers(topic, odd)).rejects.toBeInstanceOf(DtmProtocolError);
  });

  test('a change DTM does not make: DtmOutcomeUnknown', async () => {
    const stubborn = createServer((request, response) =>
      request.url?.includes('queryKV')
        ? response.end('{"kv":[]}')
        : response.writeHead(500).end('{"message":"storage: NotFound"}'),
    );
    await new Promise<void>((resolve) => stubborn.listen(0, '127.0.0.1', resolve));
    const app = await startKiosk(redisBarrier(redis.redis), {
      servers: {
        default: { grpc, http: `http://127.0.0.1:${(stubborn.address() as AddressInfo).port}`, deadlineMs: 300 },
      },
      branchSyncCheck: false,
    });
    await expect(app.dtm.topics.subscribe(topic, other)).rejects.toBeInstanceOf(DtmOutcomeUnknown);
    await app.close();
    stubborn.close();
  });
});
