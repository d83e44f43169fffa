import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { serviceNames } from '../src/parts/service-names.ts';
import { expectBooksToHold } from './support/audit.ts';
import { Crowd } from './support/crowd.ts';
import { type Answer, call, expectOk } from './support/http.ts';
import { instance, kill, start, startShopOf } from './support/parts.ts';
import { newSale } from './support/sale.ts';
import { newProduct, newUserID, type OrderLookup } from './support/shop.ts';
import { gateway, mysqlRootUrl, port } from './support/system.ts';
import { eventually } from './support/wait.ts';

const two = () => instance({ ESHOP_REPLICAS: '2' });
const gateways = () => [gateway(), `http://127.0.0.1:${port('gw-2.http')}`] as const;

/** Of each kind of client. */
const CLIENTS = 4;
const UNITS = 20_000;
/** So many orders of each kind come to their end while a replica is gone. */
const MORE = 20;
/** Kafka gives a dead consumer's partitions to the other one when it has been silent for 30 s. */
const MORE_MS = 150_000;
/** How long a client goes on asking under one key. */
const PATIENCE_MS = 90_000;

/** SHOP_SEED=… repeats a run's choices. */
const seed = Number(process.env.SHOP_SEED ?? randomInt(2 ** 31));
let state = seed;
/** A whole number below `limit`, by the seed (mulberry32). */
function chosen(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

type Wish = readonly [path: string, body: object];

const orderOf = (productID: number) => ({ userID: newUserID(), productID, productCount: 1, amount: 1, couponID: 0 });

/** The three ways to an order. */
const kinds = {
  submit: (productID: number): Wish => ['order/submit', orderOf(productID)],
  'queued submit': (productID: number): Wish => ['order/sendSubmitNotify', orderOf(productID)],
  'flash sale': (productID: number): Wish => ['flashSale', { userID: newUserID(), productID, amount: 1 }],
} as const;
type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as Kind[];

/** Asks the gateways in turn until one answers 200; throws the last answer when none does. */
async function insist<T>(ask: (gateway: string) => Promise<Answer<T>>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (let turn = randomInt(2), pause = 50; ; turn++, pause = Math.min(pause * 2, 1_000)) {
    const answer = await ask(gateways()[turn % 2] ?? '').catch((error: unknown) => error);
    if (!(answer instanceof Error) && (answer as Answer<T>).status === 200) return (answer as Answer<T>).data;
    if (Date.now() > end) throw new Error(`no gateway carries it out: ${JSON.stringify(answer) ?? String(answer)}`);
    await sleep(pause);
  }
}

/** Orders once, as a client does that knows both gateways: whatever fails is sent again under the same key. */
async function order([path, body]: Wish): Promise<string> {
  const key = { 'idempotency-key': crypto.randomUUID() };
  const { orderID } = await insist((base) => call<{ orderID: string }>('POST', `${base}/api/v1/${path}`, body, key));
  return orderID;
}

function finalState(orderID: string): Promise<OrderLookup> {
  return eventually(
    async () => {
      const found = await insist((base) => call<OrderLookup>('GET', `${base}/api/v1/order/${orderID}`));
      return found.state === 'pending' || found.state === 'queued' ? undefined : found;
    },
    `order ${orderID} to become final`,
    MORE_MS,
  );
}

async function orderToItsEnd(wish: Wish): Promise<string> {
  const orderID = await order(wish);
  await finalState(orderID);
  return orderID;
}

/** The ids of all orders of a product that were ever accepted, as the books of the order service have them. */
async function ordersOf(productID: number): Promise<string[]> {
  const connection = await mysql.createConnection(mysqlRootUrl());
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT order_id AS orderID FROM eshop_order.order_submission WHERE product_id = ?',
      [productID],
    );
    return rows.map(({ orderID }) => String(orderID));
  } finally {
    await connection.end();
  }
}

/** Clients of all three kinds at work, each kind on a product of its own; a client orders again when its order is final. */
class Rush {
  readonly products: Record<Kind, number>;
  private readonly crowds: Crowd[];

  private constructor(products: Record<Kind, number>) {
    this.products = products;
    this.crowds = kindNames.map(
      (kind) => new Crowd(() => orderToItsEnd(kinds[kind](products[kind])), { clients: CLIENTS }),
    );
  }

  static async begin(): Promise<Rush> {
    return new Rush({
      submit: await newProduct({ stock: UNITS }),
      'queued submit': await newProduct({ stock: UNITS }),
      'flash sale': await newSale({ stock: UNITS }),
    });
  }

  /** Until so many more of each kind were accepted. */
  async more(when: string): Promise<void> {
    await Promise.all(this.crowds.map((crowd, index) => crowd.more(MORE, `(${kindNames[index]}) ${when}`, MORE_MS)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.crowds.map((crowd) => crowd.stop()));
  }

  /** Each client was answered in the end, each order is placed, none was accepted twice, and the books are right. */
  async expectAllRight(): Promise<void> {
    for (const [index, crowd] of this.crowds.entries()) {
      expect(crowd.failed).toBe(0);
      const states = await Promise.all(crowd.accepted.map(async (orderID) => (await finalState(orderID)).state));
      expect(states.filter((state) => state !== 'placed')).toEqual([]);
      const kind = kindNames[index] as Kind;
      expect((await ordersOf(this.products[kind])).sort()).toEqual([...crowd.accepted].sort());
    }
    await expectBooksToHold();
  }
}

const replicaOf = (name: string, number: number) => (number === 1 ? name : `${name}-${number}`);

describe(`two replicas of every service (SHOP_SEED=${seed})`, () => {
  beforeAll(() => startShopOf(two()), 300_000);
  afterAll(() => startShopOf(instance()), 300_000);

  it.each(kindNames)('50 repeats of a %s at both gateways at once are one order', async (kind) => {
    const goods = () => (kind === 'flash sale' ? newSale({ stock: 60 }) : newProduct({ stock: 60 }));
    const [productID, other] = [await goods(), await goods()];
    const [path, body] = kinds[kind](productID);
    const key = { 'idempotency-key': crypto.randomUUID() };
    const send = (base: string, what: object) => call<{ orderID: string }>('POST', `${base}/api/v1/${path}`, what, key);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, number) => expectOk(send(gateways()[number % 2] ?? '', body))),
    );
    const ids = [...new Set(answers.map(({ orderID }) => orderID))];
    expect(ids).toHaveLength(1);
    for (const orderID of ids) expect((await finalState(orderID)).state).toBe('placed');
    expect(await ordersOf(productID)).toEqual(ids);
    for (const base of gateways()) {
      expect(await send(base, { ...body, productID: other })).toMatchObject({ status: 422, code: 42_200 });
    }
    await expectBooksToHold();
  });

  it('the shop goes on while a replica of one service after the other is killed and comes back', async () => {
    const rush = await Rush.begin();
    try {
      await rush.more('before the first fault');
      for (const name of serviceNames) {
        const victim = replicaOf(name, chosen(2) + 1);
        await kill(victim, two());
        try {
          await rush.more(`without ${victim}`);
        } finally {
          await start(victim, two());
        }
      }
    } finally {
      await rush.stop();
    }
    await rush.expectAllRight();
  }, 600_000);

  it('the shop goes on when one replica of every service is killed at the same time and stays away', async () => {
    const rush = await Rush.begin();
    const victims = serviceNames.map((name) => replicaOf(name, chosen(2) + 1));
    try {
      await rush.more('before the fault');
      await Promise.all(victims.map((victim) => kill(victim, two())));
      await rush.more('with half of the processes');
    } finally {
      await rush.stop();
    }
    await rush.expectAllRight();
  }, 600_000);
});
