import { ContractError } from '@eshop/proto';
import { type StockClient, stockClientContract } from '@eshop/proto/stock';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { grpcConnectionsSection } from '../src/config/sections.js';
import { toGrpcError } from '../src/errors/to-grpc-error.js';
import { ConfiguredClientFactory } from '../src/grpc/client-factory.js';
import { Metrics } from '../src/index.js';
import { eventually } from '../src/testing/index.js';
import { type Handler, Replica } from './support/replica.js';

const DEADLINE_MS = 200;
const FAILURES = 3;

let replicas: Replica[] = [];
let factory: ConfiguredClientFactory;
let client: StockClient;

afterEach(() => {
  factory.onApplicationShutdown();
  for (const replica of replicas) replica.kill();
});

async function start(count: number, leaveOutMs = 60_000): Promise<void> {
  replicas = Array.from({ length: count }, () => new Replica());
  for (const replica of replicas) await replica.start();
  factory = new ConfiguredClientFactory(
    {
      grpcClients: {
        stock: {
          address: `ipv4:${replicas.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
          deadlineMs: DEADLINE_MS,
          retries: 0,
        },
      },
      grpcConnections: grpcConnectionsSection.parse({ failuresInARow: FAILURES, leaveOutMs }),
    },
    new Metrics('test'),
  );
  client = factory.create<StockClient>(stockClientContract);
  await eventually(async () => {
    await calls(4 * count);
    return replicas.every((replica) => replica.calls > 0) || undefined;
  }, 'all replicas to get calls');
  for (const replica of replicas) replica.calls = 0;
}

/** Makes calls one after the other, of which none is repeated. @returns how many failed */
async function calls(count: number): Promise<number> {
  let failed = 0;
  for (let made = 0; made < count; made++) await client.create({ productID: 1, stock: 1 }).catch(() => failed++);
  return failed;
}

const silent: Handler = () => undefined;
const unavailable: Handler = (_call, answer) =>
  answer(toGrpcError(new ContractError('UNAVAILABLE'), 'stock', 'test').sent);
const refuses =
  (code: number): Handler =>
  (_call, answer) =>
    answer({ code, details: 'no', metadata: new Metadata() });

describe('a replica whose calls fail', () => {
  test('by running out of time is left out', async () => {
    await start(2);
    const [hanging, healthy] = replicas as [Replica, Replica];
    hanging.behave = silent;
    expect(await calls(20)).toBe(FAILURES);
    expect(hanging.calls).toBe(FAILURES);
    expect(healthy.calls).toBe(20 - FAILURES);
  });

  test('by saying that it is not available is left out', async () => {
    await start(2);
    const [failing] = replicas as [Replica];
    failing.behave = unavailable;
    expect(await calls(20)).toBe(FAILURES);
  });

  test('is called again after a while, and left out again at its first failure', async () => {
    await start(2, 500);
    const [hanging] = replicas as [Replica];
    hanging.behave = silent;
    expect(await calls(10)).toBe(FAILURES);
    await eventually(async () => (await calls(2)) || undefined, 'another try');
    const tries = hanging.calls;
    expect(await calls(10)).toBe(0);
    expect(hanging.calls).toBe(tries);
    hanging.behave = (_call, answer) => answer(null, { id: 1 });
    await eventually(async () => {
      await calls(2);
      return hanging.calls > tries || undefined;
    }, 'it to get calls again');
    const before = hanging.calls;
    expect(await calls(10)).toBe(0);
    expect(hanging.calls - before).toBe(5);
  });

  test('is not left out when it is the only one', async () => {
    await start(1);
    const [only] = replicas as [Replica];
    only.behave = silent;
    expect(await calls(5)).toBe(5);
    expect(only.calls).toBe(5);
    only.behave = (_call, answer) => answer(null, { id: 1 });
    expect(await calls(5)).toBe(0);
  });

  test('is not left out when the others fail as well', async () => {
    await start(3);
    for (const replica of replicas) replica.behave = unavailable;
    await calls(30);
    for (const replica of replicas) replica.calls = 0;
    for (const replica of replicas) replica.behave = (_call, answer) => answer(null, { id: 1 });
    expect(await calls(30)).toBe(0);
    for (const replica of replicas) expect(replica.calls).toBe(10);
  });

  test('is called when the better one dies, and left out again when that is back', async () => {
    await start(2);
    const [failing, healthy] = replicas as [Replica, Replica];
    failing.behave = unavailable;
    await calls(20);
    expect(failing.calls).toBe(FAILURES);
    healthy.kill();
    await eventually(async () => {
      await calls(1);
      return failing.calls > FAILURES || undefined;
    }, 'the one that failed to be called');
    await healthy.start();
    await eventually(async () => (await calls(10)) === 0 || undefined, 'all to be well');
  });
});

test.each([status.NOT_FOUND, status.FAILED_PRECONDITION, status.ABORTED, status.INVALID_ARGUMENT, status.INTERNAL])(
  'a replica that answers %i is not left out',
  async (code) => {
    await start(2);
    const [refusing, other] = replicas as [Replica, Replica];
    refusing.behave = refuses(code);
    expect(await calls(20)).toBe(10);
    expect(refusing.calls).toBe(10);
    expect(other.calls).toBe(10);
  },
);
