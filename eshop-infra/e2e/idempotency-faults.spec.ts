import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import { expectBooksToHold } from './support/audit.ts';
import type { Answer } from './support/http.ts';
import { freeze, kill, start, thaw } from './support/parts.ts';
import { buy, newSale } from './support/sale.ts';
import { finalState, newProduct, newUserID, submit, submitQueued, unitsOf } from './support/shop.ts';
import { mysqlRootUrl, port } from './support/system.ts';
import { eventually } from './support/wait.ts';

type Sent = Answer<{ orderID: string; state?: string }>;

interface Way {
  what: string;
  send(userID: number, productID: number, key: string): Promise<Sent>;
  goods(): Promise<number>;
  /** What is held up, so that no answer can come. */
  frozen: string;
  /** Who is killed. */
  service: string;
  /** The order id that a user's key stands for by now. */
  acceptedUnder(userID: number, key: string): Promise<string | undefined>;
  /** What a repeat is answered once the order is placed. */
  answer: object;
}

async function submissionUnder(userID: number, key: string): Promise<string | undefined> {
  const connection = await mysql.createConnection(mysqlRootUrl());
  try {
    const [[row]] = await connection.query<mysql.RowDataPacket[]>(
      'SELECT order_id AS orderID FROM eshop_order.order_submission WHERE user_id = ? AND idem_key = ?',
      [userID, key],
    );
    return row && String(row.orderID);
  } finally {
    await connection.end();
  }
}

async function purchaseUnder(userID: number, key: string): Promise<string | undefined> {
  const redis = new Redis(port('redis'), '127.0.0.1');
  try {
    const kept = await redis.get(`flash:idempotency:${userID}:${key}`);
    return kept === null ? undefined : (JSON.parse(kept) as { orderID: string }).orderID;
  } finally {
    redis.disconnect();
  }
}

const under = (key: string) => ({ 'idempotency-key': key });

const ways: Way[] = [
  {
    what: 'submit',
    send: (userID, productID, key) => submit({ userID, productID, waitResult: true }, under(key)),
    goods: () => newProduct({ stock: 60 }),
    frozen: 'stock',
    service: 'order',
    acceptedUnder: submissionUnder,
    answer: { state: 'placed', reason: '' },
  },
  {
    what: 'queued submit',
    send: (userID, productID, key) => submitQueued({ userID, productID }, under(key)),
    goods: () => newProduct({ stock: 60 }),
    frozen: 'kafka',
    service: 'order',
    acceptedUnder: submissionUnder,
    answer: {},
  },
  {
    what: 'flash sale',
    send: (userID, productID, key) => buy(productID, { userID, headers: under(key) }),
    goods: () => newSale({ stock: 60 }),
    frozen: 'dtm-redis',
    service: 'flashsale',
    acceptedUnder: purchaseUnder,
    answer: {},
  },
];

const fifty = (send: () => Promise<Sent>) => Promise.all(Array.from({ length: 50 }, send));

describe.each(ways)('the $service service killed between the acceptance of a $what and its answer', (way) => {
  it('gives 50 repeats under the same key the order that was accepted, and another body 422', async () => {
    const [productID, userID, key] = [await way.goods(), newUserID(), crypto.randomUUID()];
    const send = () => way.send(userID, productID, key);
    let accepted = '';
    await freeze(way.frozen);
    try {
      const unanswered = fifty(send);
      accepted = await eventually(() => way.acceptedUnder(userID, key), 'the order to be accepted');
      await kill(way.service);
      const answers = await unanswered;
      expect(answers.map(({ status }) => status)).toContain(503);
      // a repeat that came before the kill may have been told what was accepted, and nothing else
      for (const { status, data } of answers) if (status !== 503) expect(data.orderID).toBe(accepted);
    } finally {
      await thaw(way.frozen);
      await start(way.service);
    }
    // the gateway finds the service again, DTM the one that was held up
    const first = await eventually(async () => {
      const answer = await send();
      return answer.status === 200 && answer.data.state !== 'pending' ? answer : undefined;
    }, 'a repeat to be answered');
    expect(first.data).toEqual({ orderID: accepted, ...way.answer });
    for (const { status, data } of await fifty(send))
      expect({ status, data }).toEqual({ status: 200, data: first.data });
    expect(await way.send(userID, await way.goods(), key)).toMatchObject({ status: 422, code: 42_200, data: {} });
    // one that never reached the queue is taken up from the books, after a minute
    const { state } = await eventually(() => finalState(accepted).catch(() => undefined), 'the order', 150_000);
    expect(state).toBe('placed');
    expect((await send()).data).toEqual(first.data);
    expect(await unitsOf(productID)).toBe(59);
    await expectBooksToHold();
  }, 300_000);
});
