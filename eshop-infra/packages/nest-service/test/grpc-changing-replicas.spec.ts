import type { StockClient } from '@eshop/proto/stock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ConfiguredClientFactory } from '../src/grpc/client-factory.js';
import { eventually } from '../src/testing/eventually.js';
import { type TestDatabase, testDatabase } from '../src/testing/test-database.js';
import { type DnsServer, dnsServer } from './support/dns-server.js';
import { type ServiceProcess, startProcess } from './support/start-process.js';
import { SteadyLoad } from './support/steady-load.js';

/** A replica of the service: a process on an address of its own, all with the same port. */
interface Replica extends ServiceProcess {
  readonly address: string;
}

const AGE_MS = 1_000;
/** How long a replica that is silent may trouble its callers. */
const TROUBLE_MS = 10_000;

// Each starts several processes.
jest.setTimeout(90_000);

let database: TestDatabase;
let dns: DnsServer;
let port: string;
let replicas: Replica[];
let factory: ConfiguredClientFactory;
let client: StockClient;
let load: SteadyLoad | undefined;

beforeAll(async () => {
  // grpc-js asks the DNS server that a target names only if this is set before it is loaded.
  process.env.GRPC_NODE_USE_ALTERNATIVE_RESOLVER = 'true';
  database = await testDatabase('replicas');
});
afterAll(() => database?.drop());

beforeEach(async () => {
  replicas = [];
  port = '0';
  const first = await start('127.0.0.2');
  port = String(first.grpcPort);
  dns = await dnsServer([first.address]);
  const { stockClientContract } = await import('@eshop/proto/stock');
  const { ConfiguredClientFactory } = await import('../src/grpc/client-factory.js');
  const { Metrics } = await import('../src/metrics/metrics.js');
  const { grpcConnectionsSection } = await import('../src/config/sections.js');
  const address = `dns://127.0.0.1:${dns.port}/stock.test:${port}`;
  factory = new ConfiguredClientFactory(
    {
      grpcClients: { stock: { address, deadlineMs: 3_000, retries: 2 } },
      grpcConnections: grpcConnectionsSection.parse({ dnsIntervalMs: 100 }),
    },
    new Metrics('test'),
  );
  client = factory.create<StockClient>(stockClientContract);
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
  factory?.onApplicationShutdown();
  dns?.close();
  for (const { child } of replicas) child.kill('SIGKILL');
  await Promise.all(replicas.map(({ exited }) => exited));
});

async function start(address: string): Promise<Replica> {
  const process = await startProcess(database.mysql, {
    HTTP_HOST: address,
    GRPC_HOST: address,
    GRPC_PORT: port,
    GRPC_MAX_CONNECTION_AGE_MS: String(AGE_MS),
    LOG_LEVEL: 'error',
  });
  const replica = { ...process, address };
  replicas.push(replica);
  return replica;
}

/** Calls that a replica has answered. */
async function calls({ address, httpPort }: Replica): Promise<number> {
  const text = await (await fetch(`http://${address}:${httpPort}/metrics`)).text();
  const counts = text.matchAll(/^grpc_server_duration_seconds_count\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Until a replica has answered as many more calls as given. */
async function answers(replica: Replica, more: number): Promise<void> {
  const before = await calls(replica);
  await eventually(
    async () => (await calls(replica)) >= before + more || undefined,
    `${more} more calls of the replica at ${replica.address}`,
  );
}

/** Two replicas that share a steady load. */
async function two(): Promise<[Replica, Replica]> {
  const [first] = replicas as [Replica];
  load = new SteadyLoad(client);
  await answers(first, 50);
  const second = await start('127.0.0.3');
  dns.addresses = [first.address, second.address];
  await answers(second, 50);
  return [first, second];
}

/** What failed, by what it was. */
async function failed(): Promise<{ reads: number; writes: number }> {
  const failures = (await load?.stop()) ?? [];
  const count = (kind: string) => failures.filter(({ what }) => what === kind).length;
  return { reads: count('read'), writes: count('write') };
}

describe('a service behind a name that stands for several addresses', () => {
  test('a replica that appears gets its share, and no call fails', async () => {
    const [first, second] = await two();
    const before = await Promise.all([first, second].map(calls));
    await answers(first, 200);
    const [one = 0, other = 0] = (await Promise.all([first, second].map(calls))).map((n, at) => n - (before[at] ?? 0));
    expect(other / (one + other)).toBeGreaterThan(0.35);
    expect(other / (one + other)).toBeLessThan(0.65);
    expect(await failed()).toEqual({ reads: 0, writes: 0 });
  });

  test('one that goes (SIGTERM) is left without a failed call', async () => {
    const [first, second] = await two();
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    await answers(second, 100);
    dns.addresses = [second.address];
    await answers(second, 100);
    expect(await failed()).toEqual({ reads: 0, writes: 0 });
  });

  test('all are replaced one after the other, and no call fails', async () => {
    const [first, second] = await two();
    const third = await start('127.0.0.4');
    dns.addresses = [third.address];
    await answers(third, 50);
    for (const old of [first, second]) {
      old.child.kill('SIGTERM');
      expect(await old.exited).toBe(0);
    }
    await answers(third, 100);
    expect(await failed()).toEqual({ reads: 0, writes: 0 });
  });

  test('one that dies (SIGKILL) is left without a failed read', async () => {
    const [first, second] = await two();
    first.child.kill('SIGKILL');
    await first.exited;
    await answers(second, 100);
    expect((await failed()).reads).toBe(0);
  });

  test('while nobody answers for the name, calls go on to the addresses that are known', async () => {
    const [first, second] = await two();
    dns.close();
    await answers(first, 200);
    await answers(second, 200);
    expect(await failed()).toEqual({ reads: 0, writes: 0 });
  });

  test('one that goes silent (SIGSTOP) troubles its callers for ten seconds at most, no read fails, and it gets calls again', async () => {
    const [first, second] = await two();
    const stopped = Date.now();
    first.child.kill('SIGSTOP');
    await eventually(async () => Date.now() > stopped + TROUBLE_MS || undefined, 'the end of the time for trouble');
    await answers(second, 500);
    first.child.kill('SIGCONT');
    await answers(first, 100);
    const failures = (await load?.stop()) ?? [];
    expect(failures.filter(({ what }) => what === 'read')).toEqual([]);
    expect(failures.filter(({ at }) => at > stopped + TROUBLE_MS)).toEqual([]);
  });
});
