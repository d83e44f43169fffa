import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audit } from '../audit/audit.ts';
import { Database } from '../audit/database.ts';
import { SaleCounters } from '../audit/sales/sale-counter.ts';
import { ask, Refused } from '../base/ask.ts';
import type { Context } from '../context.ts';
import { createContext } from '../create-context.ts';
import { DeadLetters } from '../dead-letters/dead-letters.ts';
import { kafkaClient } from '../kafka/client.ts';
import { HttpClient } from '../load/http-client.ts';
import { localServer } from '../load/testing/local-server.ts';
import { shopParts, stackParts } from '../parts/all.ts';
import { withAllServices } from '../testing/all-services.ts';
import { unreachablePart } from './unreachable.ts';

const state = mkdtempSync(join(tmpdir(), 'eshop-unreachable-'));
afterAll(() => rmSync(state, { recursive: true }));

/** An instance on ports where nobody listens, of which these parts run. */
function instance(running: readonly string[] = [], env: Record<string, string> = {}): Context {
  const context = withAllServices(
    createContext({ instance: 'nobody', env: { ...process.env, ESHOP_STATE: state, ...env } }),
    join(state, 'checkout'),
  );
  const { stack } = context;
  const find: Context['stack']['find'] = async (_context, { name }) =>
    running.includes(name) ? { pid: 1 } : undefined;
  return Object.defineProperty(context, 'stack', { value: { ...stack, find } });
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const clients: [string, string, (context: Context) => Promise<unknown>][] = [
  ['mysql2', 'mysql', (context) => Database.open(context.mysqlRootUrl())],
  ['the audit', 'mysql', (context) => audit(context.mysqlRootUrl(), { settleSeconds: 0 })],
  ['ioredis', 'redis', ({ ports }) => SaleCounters.open({ url: `redis://127.0.0.1:${ports.redis}` })],
  ['KafkaJS', 'kafka', ({ ports }) => new DeadLetters(kafkaClient(ports), 'orders').list({ all: true })],
  [
    'KafkaJS after some tries',
    'kafka',
    ({ ports }) => new DeadLetters(kafkaClient(ports, 1), 'orders').list({ all: true }),
  ],
  ['fetch of the gateway', 'gw', ({ gatewayUrl }) => ask('GET', `${gatewayUrl}/api/v1/user/list`)],
  ['plain fetch', 'gw', ({ gatewayUrl }) => fetch(gatewayUrl)],
  ['fetch by a name of two addresses', 'gw', ({ ports }) => fetch(`http://localhost:${ports.gwHttp}`)],
  ['the load', 'gw', ({ gatewayUrl }) => new HttpClient(gatewayUrl, 1).get('/')],
];

describe('a server that cannot be reached', () => {
  it.each(clients)('is named where it does not run, by %s', async (_client, part, work) => {
    const context = instance();
    const error = await failureOf(work(context));
    expect(await unreachablePart(context, error)).toBe(
      `${part} does not run (start it: eshop --instance nobody start ${part})`,
    );
  });

  it.each(clients)('is named where it runs and does not answer, by %s', async (_client, part, work) => {
    const context = instance([part]);
    expect(await unreachablePart(context, await failureOf(work(context)))).toBe(
      `${part} runs, but does not answer (eshop --instance nobody logs ${part} may tell why)`,
    );
  });

  it('is named with what it needs itself', async () => {
    const context = instance(['kafka', 'dtm-mysql']);
    const error = await failureOf(ask('GET', `http://127.0.0.1:${context.ports.orderHttp}/`));
    expect(await unreachablePart(context, error)).toBe(
      'mysql and order do not run (start them: eshop --instance nobody start mysql order)',
    );
  });

  it('is named by a service that answers 503 for want of it', async () => {
    const server = await localServer(() => ({ status: 503, body: { code: 50300, msg: 'unavailable', data: {} } }));
    try {
      const all = ['mysql', 'redis', 'dtm-mysql', 'dtm-redis', 'registry'];
      const services = ['product', 'stock', 'coupon', 'pay', 'order', 'user', 'flashsale', 'gw'];
      const error = await failureOf(ask('GET', server.url));
      expect(error).toBeInstanceOf(Refused);
      const told = await unreachablePart(instance([...all, ...services]), error);
      expect(told).toMatch(/answers 503: 50300 unavailable\nkafka does not run \(start it: .* start kafka\)$/);
      expect(await unreachablePart(instance([...all, ...services, 'kafka']), error)).toBeUndefined();
    } finally {
      await server.close();
    }
  });

  it('is named when it is frozen, so that connecting takes too long', async () => {
    const late = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
    const everything = [...stackParts, ...shopParts(instance())].map(({ name }) => name);
    expect(await unreachablePart(instance(everything), late)).toBe(
      'mysql, redis, kafka and registry run, but do not answer (eshop --instance nobody logs mysql may tell why)',
    );
  });

  it('is named when a connection is lost and the error does not tell whose', async () => {
    const lost = Object.assign(new Error('Connection lost: The server closed the connection.'), {
      code: 'PROTOCOL_CONNECTION_LOST',
    });
    expect(await unreachablePart(instance(), lost)).toMatch(/^mysql, redis, .* do not run \(start them: /);
  });
});

it.each([
  ['a mistake of the program', new TypeError('x is not a function')],
  ['an answer of a server', Object.assign(new Error('Access denied'), { code: 'ER_ACCESS_DENIED_ERROR' })],
  ['an error with a cause', new Error('outer', { cause: new Error('inner') })],
  ['no error at all', 'text'],
])('%s is left as it is', async (_what, error) => {
  expect(await unreachablePart(instance(), error)).toBeUndefined();
});

it('a server of somebody else is not called ours', async () => {
  const error = await failureOf(new HttpClient('http://127.0.0.1:9', 1).get('/'));
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  expect(await unreachablePart(instance(), error)).toBeUndefined();
});
