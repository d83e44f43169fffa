import { connect } from 'node:net';
import { eventually, type TestDatabase, testDatabase } from '@eshop/nest-service/testing';
import { codes } from '@eshop/proto';
import { productClientContract } from '@eshop/proto/product';
import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { type ProductProcess, startProcess } from './product-process.js';

const CLIENTS = 32;
const ROUNDS = 2;
/** What the container may have, as deploy/kubernetes says. */
const LIMIT_MB = 512;
/** The longest text that a description may have, in characters that take most as bytes, as text in memory and as JSON. */
const DESCRIPTIONS = {
  ascii: 'x'.repeat(16_383),
  emoji: '😀'.repeat(16_383),
  control: `${'\u0001'.repeat(16_382)}é`,
} as const;
type Kind = keyof typeof DESCRIPTIONS;
const ROWS = 1000;

let database: TestDatabase;
let product: ProductProcess;
beforeAll(async () => {
  database = await testDatabase('product');
  product = await startProcess(database);
  for (const [kind, description] of Object.entries(DESCRIPTIONS)) {
    for (let at = 0; at < ROWS; at += 100) {
      await database.query(
        `INSERT INTO product (name, price, photo, description)
         SELECT ?, 1, '', ? FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n) AS n`,
        [kind, description],
      );
    }
  }
}, 120_000);
afterAll(async () => {
  await product?.stop();
  await database?.drop();
});

const paramsOf = (kind: Kind, limit: number, page = 0) => ({
  params: { page, limit, sort: 'id', columns: [{ name: 'name', exp: '=', value: kind, logic: '' }] },
});

interface Seen {
  status: number;
  /** Of the body. */
  bytes: number;
  /** Its beginning. */
  head: string;
}

/** A list whose answer is read but not kept. */
async function list(kind: Kind, limit: number, page = 0): Promise<Seen> {
  const answer = await fetch(`${product.http}/api/v1/product/list`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(paramsOf(kind, limit, page)),
  });
  let [bytes, head] = [0, ''];
  for await (const chunk of answer.body ?? []) {
    if (head.length < 1000) head += Buffer.from(chunk).toString('latin1', 0, 1000);
    bytes += chunk.length;
  }
  return { status: answer.status, bytes, head };
}

/** The largest number of rows that one page may have, as the refusal of all of them says. */
async function largestPage(kind: Kind): Promise<number> {
  const { status, head } = await list(kind, ROWS);
  expect(status).toBe(400);
  const { code, violations } = JSON.parse(head) as {
    code: number;
    violations: { field: string; description: string }[];
  };
  expect([code, violations[0]?.field]).toEqual([codes.INVALID_PARAMETER.code, 'params.limit']);
  return Number(/such as (\d+)$/.exec(violations[0]?.description ?? '')?.[1]);
}

/** Runs the work of all clients at a time, each several times over. */
const crowd = <T>(work: (client: number) => Promise<T>) =>
  Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const seen: T[] = [];
      for (let round = 0; round < ROUNDS; round++) seen.push(await work(client));
      return seen;
    }),
  ).then((all) => all.flat());

const tally = (values: readonly (number | string)[]) =>
  Object.fromEntries([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]));

function note(what: string, statuses: readonly (number | string)[]): void {
  const { now, most } = product.memory();
  process.stdout.write(`${what}: ${JSON.stringify(tally(statuses))}, RSS ${now} MB, at most ${most} MB\n`);
}

function expectEnvelopes(seen: readonly Seen[]): void {
  for (const { status, head } of seen) {
    expect([200, 400, 429, 503]).toContain(status);
    expect(head).toMatch(status === 200 ? /^\{"code":0,"msg":"ok","data":/ : /^\{"code":\d{5},"msg":"/);
  }
  expect(seen.some(({ status }) => status === 200)).toBe(true);
  expect(product.isAlive()).toBe(true);
  expect(product.memory().most).toBeLessThan(LIMIT_MB);
}

describe(`${CLIENTS} clients that ask for the largest pages`, () => {
  it.each(Object.keys(DESCRIPTIONS) as Kind[])(
    'over HTTP, of %s descriptions',
    async (kind) => {
      const limit = await largestPage(kind);
      const seen = await crowd((client) => list(kind, limit, client % 4));
      note(
        `HTTP, ${limit} rows of ${kind}, ${Math.max(...seen.map(({ bytes }) => bytes))} bytes`,
        seen.map(({ status }) => status),
      );
      expectEnvelopes(seen);
    },
    120_000,
  );

  it('over HTTP, of all numbers of rows', async () => {
    const limits = [1000, 500, 250, 100, 64, 60, 30, 15];
    const kinds = Object.keys(DESCRIPTIONS) as Kind[];
    const seen = await crowd((client) => list(kinds[client % 3] ?? 'ascii', limits[client % limits.length] ?? 1));
    note(
      'HTTP, all numbers of rows',
      seen.map(({ status }) => status),
    );
    expectEnvelopes(seen);
  }, 120_000);

  it('over gRPC, with a client that takes what is taken by default', async () => {
    const limit = await largestPage('emoji');
    const method = productClientContract.definition.list as MethodDefinition<unknown, unknown>;
    const clients = Array.from({ length: CLIENTS }, () => new Client(product.grpc, credentials.createInsecure()));
    const call = (client: number) =>
      new Promise<ServiceError | number>((resolve) => {
        clients[client]?.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          (bytes) => bytes.length,
          paramsOf('emoji', limit, client % 4),
          (error, bytes) => resolve(error ?? Number(bytes)),
        );
      });
    const seen = await crowd(call);
    for (const client of clients) client.close();
    note(
      `gRPC, ${limit} rows of emoji`,
      seen.map((one) => (typeof one === 'number' ? 'OK' : one.code)),
    );
    for (const one of seen) {
      if (typeof one === 'number') expect(one).toBeLessThanOrEqual(4_194_304);
      else expect([one.code, one.details]).toEqual([8, expect.stringMatching(/come back/)]);
    }
    expect(Math.max(...seen.map(Number).filter(Number.isFinite))).toBeGreaterThan(4_000_000);
    expect(product.isAlive()).toBe(true);
  }, 120_000);

  it('and do not read the answers: small lists go on, the rest is told to come back', async () => {
    const limit = await largestPage('control');
    const body = JSON.stringify(paramsOf('control', limit));
    const answers = new Map<number, string>();
    const sockets = Array.from({ length: CLIENTS }, (_, client) => {
      const socket = connect(Number(new URL(product.http).port), '127.0.0.1');
      socket.write(
        `POST /api/v1/product/list HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      socket.once('data', (chunk) => {
        answers.set(client, String(chunk).slice(9, 12));
        socket.pause();
      });
      return socket;
    });
    await eventually(async () => answers.size === CLIENTS || undefined, 'all clients to see an answer');
    note('HTTP, answers not read', [...answers.values()]);
    expect(tally([...answers.values()])).toMatchObject({ 429: expect.any(Number) });
    expect((await list('ascii', 1)).status).toBe(200);
    expect((await fetch(`${product.http}/ready`)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    const again = await eventually(async () => {
      const seen = await list('control', limit);
      return seen.status === 200 ? seen : undefined;
    }, 'the memory to be given back');
    expect(again.bytes).toBeGreaterThan(20_000_000);
    expect(product.isAlive()).toBe(true);
  }, 120_000);

  it('and go away: nobody waits for what they held', async () => {
    const limit = await largestPage('ascii');
    const rounds = Array.from({ length: 10 }, async () => {
      const leave = new AbortController();
      const asked = Array.from({ length: CLIENTS }, () =>
        fetch(`${product.http}/api/v1/product/list`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(paramsOf('ascii', limit)),
          signal: leave.signal,
        }).then(
          (answer) => answer.body?.cancel(),
          () => undefined,
        ),
      );
      await fetch(`${product.http}/ping`);
      leave.abort();
      await Promise.all(asked);
    });
    await Promise.all(rounds);
    await eventually(
      async () => (await list('ascii', limit)).status === 200 || undefined,
      'the memory to be given back',
    );
    expect(product.isAlive()).toBe(true);
    note('HTTP, clients that went away', []);
  }, 120_000);
});
