import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { z } from '@eshop/nest-service';
import { eventually, startTestService, type TestService } from '@eshop/nest-service/testing';
import { ContractError } from '@eshop/proto';
import {
  type ListProductReply,
  type ListProductRequest,
  type Product,
  ProductApi,
  productContract,
} from '@eshop/proto/product';
import { Module } from '@nestjs/common';
import { freeAddress } from './service.js';

const CLIENTS = 32;
/** What the container may have, as deploy/kubernetes says. */
const LIMIT_MB = 512;
/** Descriptions that take most as bytes, as text in memory and as JSON; the page says which. */
const DESCRIPTIONS = ['x'.repeat(16_383), '😀'.repeat(16_383), `${'\u0001'.repeat(16_382)}é`] as const;
/** Pages beyond: what a service that knows no bounds would send, and what ours says. */
const BOUNDLESS = 1000;
const REFUSED = 2000;

const unasked = async (): Promise<never> => {
  throw new ContractError('UNIMPLEMENTED', 'no spec asks for this');
};

/** The product service without data and without bounds of its own. */
@ProductApi()
class Products implements ProductApi {
  async list({ params }: ListProductRequest): Promise<ListProductReply> {
    const { page = 0, limit = 0 } = params ?? {};
    if (page === REFUSED) {
      throw new ContractError('INVALID_PARAMETER', 'the page is too large', {
        violations: [{ field: 'params.limit', rule: 'page.max_bytes', description: 'ask for fewer, such as 60' }],
      });
    }
    const description = DESCRIPTIONS[page % DESCRIPTIONS.length] ?? '';
    const times = { createdAt: '', updatedAt: '' };
    const products = Array.from(
      { length: limit },
      (_, id): Product => ({ id, ...times, name: '', price: 1, photo: '', description, version: 1 }),
    );
    return { total: limit, products };
  }
  create(): Promise<never> {
    return unasked();
  }
  deleteByID(): Promise<never> {
    return unasked();
  }
  updateByID(): Promise<never> {
    return unasked();
  }
  getByID(): Promise<never> {
    return unasked();
  }
}

@Module({ controllers: [Products] })
class ProductsModule {}

let upstream: TestService<z.ZodObject>;
let gateway: ChildProcess;
let http: string;
beforeAll(async () => {
  upstream = await startTestService(ProductsModule, { contract: productContract, config: z.object({}) });
  const compiled = 'node_modules/.cache/gateway';
  const compiler = ['node_modules/ts7/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', compiled];
  execFileSync(process.execPath, compiler, { stdio: 'inherit' });
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  const address = await freeAddress();
  gateway = fork(`${compiled}/main.js`, {
    execArgv: scripts.start.match(/--\S+/g) ?? [],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      HTTP_PORT: address.split(':')[1],
      LOG_LEVEL: 'silent',
      GRPC_CLIENTS_PRODUCT_ADDRESS: upstream.grpcAddress,
      // What makes and reads the pages here is this process, which is slower than the gateway.
      GRPC_CLIENTS_PRODUCT_DEADLINE_MS: '170000',
      HTTP_REQUEST_TIMEOUT_MS: '170000',
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  http = `http://${address}`;
  await eventually(async () => (await fetch(`${http}/health`).catch(() => undefined))?.ok || undefined, 'the gateway');
}, 60_000);
afterAll(async () => {
  gateway?.kill('SIGKILL');
  if (gateway) await once(gateway, 'exit');
  await upstream?.close();
});

const tally = (values: readonly (number | string)[]) =>
  Object.fromEntries([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]));

/** Resident memory now and at its highest, MB. */
function memory(): { now: number; most: number } {
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8');
  const of = (key: string) => Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return { now: of('VmRSS'), most: of('VmHWM') };
}

function note(what: string, statuses: readonly (number | string)[]): void {
  const { now, most } = memory();
  process.stdout.write(`gateway, ${what}: ${JSON.stringify(tally(statuses))}, RSS ${now} MB, at most ${most} MB\n`);
}

interface Seen {
  status: number;
  head: string;
}

/** A list whose answer is read but not kept. */
async function list(page: number, limit: number): Promise<Seen> {
  const answer = await fetch(`${http}/api/v1/product/list?page=${page}&limit=${limit}`);
  let head = '';
  for await (const chunk of answer.body ?? []) {
    if (head.length < 1000) head += Buffer.from(chunk).toString('latin1', 0, 1000);
  }
  return { status: answer.status, head };
}

function expectAlive(seen: readonly Seen[]): void {
  for (const { status, head } of seen) {
    expect([200, 400, 429, 503]).toContain(status);
    expect(head).toMatch(status === 200 ? /^\{"code":0,"msg":"ok","data":/ : /^\{"code":\d{5},"msg":"/);
  }
  expect(seen.some(({ status }) => status === 200)).toBe(true);
  expect([gateway.exitCode, gateway.signalCode]).toEqual([null, null]);
  expect(memory().most).toBeLessThan(LIMIT_MB);
}

describe(`the gateway, asked by ${CLIENTS} clients for pages of 4 MiB`, () => {
  it.each([
    ['each for another', (client: number) => 3 * client],
    ['each for another, of wide characters', (client: number) => 3 * client + 1],
    ['each for another, that grows as JSON', (client: number) => 3 * client + 2],
    ['all for the same, that grows as JSON', () => 2],
  ])(
    '%s',
    async (what, pageOf) => {
      const pages = Array.from({ length: CLIENTS }, (_, client) => pageOf(client));
      const seen = await Promise.all(pages.map((page) => list(page, page % 3 === 1 ? 63 : 250)));
      note(
        what,
        seen.map(({ status }) => status),
      );
      expectAlive(seen);
    },
    180_000,
  );

  it('and not reading the answers', async () => {
    const answers: string[] = [];
    const sockets = Array.from({ length: CLIENTS }, (_, client) => {
      const socket = connect(Number(new URL(http).port), '127.0.0.1');
      socket.write(`GET /api/v1/product/list?page=${3 * client + 2}&limit=250 HTTP/1.1\r\nHost: x\r\n\r\n`);
      socket.once('data', (chunk) => {
        answers.push(String(chunk).slice(9, 12));
        socket.pause();
      });
      return socket;
    });
    await eventually(async () => answers.length === CLIENTS || undefined, 'all clients to see an answer', 60_000);
    note('answers not read', answers);
    expectAlive([await list(0, 1)]);
    for (const socket of sockets) socket.destroy();
    await eventually(async () => (await list(2, 250)).status === 200 || undefined, 'the memory to be given back');
  }, 180_000);
});

it('a page of more than the gateway takes is 400, not "too many requests", and says what to do', async () => {
  const { status, head } = await list(3 * BOUNDLESS + 1, 1000);
  expect([status, JSON.parse(head)]).toEqual([
    400,
    expect.objectContaining({ code: 40000, msg: 'the answer of product is too large; ask for less' }),
  ]);
});

it('a page that the service refuses for its bytes is told with the number of rows that fits', async () => {
  const { status, head } = await list(REFUSED, 1000);
  expect([status, JSON.parse(head)]).toEqual([
    400,
    expect.objectContaining({
      code: 40000,
      msg: 'the page is too large',
      violations: [{ field: 'params.limit', rule: 'page.max_bytes', description: 'ask for fewer, such as 60' }],
    }),
  ]);
});
