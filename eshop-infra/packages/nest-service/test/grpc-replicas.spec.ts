import { type StockClient, stockClientContract } from '@eshop/proto/stock';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConfiguredClientFactory } from '../src/grpc/client-factory.js';
import { Metrics } from '../src/index.js';
import { eventually } from '../src/testing/index.js';
import { Replica } from './support/replica.js';

let replicas: [Replica, Replica];
let factory: ConfiguredClientFactory;
let client: StockClient;

beforeEach(async () => {
  replicas = [new Replica(), new Replica()];
  for (const replica of replicas) await replica.start();
  const address = `ipv4:${replicas.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  factory = new ConfiguredClientFactory(
    { grpcClients: { stock: { address, deadlineMs: 5_000, retries: 2 } } },
    new Metrics('test'),
  );
  client = factory.create<StockClient>(stockClientContract);
});
afterEach(() => {
  factory.onApplicationShutdown();
  for (const replica of replicas) replica.kill();
});

/** Until both replicas get calls. */
const balanced = () =>
  eventually(async () => {
    const before = replicas.map(({ calls }) => calls);
    await Promise.all([1, 2, 3, 4].map((id) => client.getByID({ id })));
    return replicas.every(({ calls }, index) => calls > (before[index] ?? 0)) || undefined;
  }, 'both replicas to get calls');

describe('a client of a service with two replicas', () => {
  test('calls both', balanced);

  test('goes on with the other when one is gone, also with calls that are made once, and comes back to it', async () => {
    await balanced();
    const [dead, alive] = replicas;
    dead.kill();
    // What the client knows only when it has seen the connection end, a moment later.
    await eventually(
      () => client.create({ productID: 1, stock: 1 }).then(Boolean, () => undefined),
      'the other to be called',
    );
    const before = alive.calls;
    for (let again = 0; again < 20; again++) await client.create({ productID: 1, stock: 1 });
    expect(alive.calls - before).toBe(20);
    await dead.start();
    await balanced();
  });

  test('repeats a call without side effects at the other when one dies under it', async () => {
    await balanced();
    const [dying, alive] = replicas;
    dying.behave = () => dying.kill();
    alive.calls = 0;
    await Promise.all([client.getByID({ id: 1 }), client.getByID({ id: 2 })]);
    expect(alive.calls).toBe(2);
  });

  test('a call with side effects that one dies under is UNAVAILABLE, and not made again', async () => {
    await balanced();
    const [dying, alive] = replicas;
    dying.behave = () => dying.kill();
    alive.calls = 0;
    const results = await Promise.allSettled([1, 2].map(() => client.create({ productID: 1, stock: 1 })));
    expect(results.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { code: 'UNAVAILABLE' } }]);
    expect(alive.calls).toBe(1);
  });
});
