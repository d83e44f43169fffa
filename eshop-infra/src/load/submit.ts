import { type AuditReport, audit } from '../audit/audit.ts';
import { defaultSchemas, type Schemas } from '../audit/schemas.ts';
import { closedLoop } from './closed-loop.ts';
import { CpuMeter, type CpuUsage, type MeasuredProcess } from './cpu.ts';
import { type FinishedOrders, OrderBook } from './finished-orders.ts';
import { createGoods } from './goods.ts';
import { HttpClient } from './http-client.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

export interface SubmitOptions {
  clients: number;
  seconds: number;
  /** At most so many orders. */
  count?: number;
  products: number;
  stockPerProduct: number;
  /** The user who orders. */
  user: number;
  /** Units per order. */
  units: number;
  /** Unit price, cents. */
  price: number;
  /** Lets the gateway answer only when the order has ended. */
  waitResult?: boolean;
  /** How long to wait for the orders that are unfinished when the load ends, in seconds. */
  tail: number;
  audit: boolean;
}

/** What a load runs on. */
export interface LoadTarget {
  gatewayUrl: string;
  mysqlUrl: string;
  /** The processes whose time is measured. */
  processes: readonly MeasuredProcess[];
  schemas?: Schemas;
}

export interface SubmitReport {
  options: SubmitOptions;
  /** How long orders were sent, in seconds. */
  seconds: number;
  accepted: number;
  acceptedPerSecond: number;
  finished: FinishedOrders;
  /** Finished while the load ran, per second of the load. */
  finishedPerSecond: number;
  /** All finished orders, per second from the start to the last finish. */
  finishedPerSecondWithTail: number;
  unfinishedAfter5s: number;
  /** As the client saw it, in ms. */
  answer: Percentiles;
  errors: Record<string, number>;
  cpu: CpuUsage[];
  /** Share of the machine's processors that was busy while orders were sent, from 0 to 1. */
  busy: number;
  audit: Pick<AuditReport, 'holds' | 'broken' | 'violations'> | undefined;
}

const GRACE_SECONDS = 5;

/** Places orders for new products as fast as a number of clients can, and reads from the books what became of them. */
export async function loadSubmit(
  { gatewayUrl, mysqlUrl, processes, schemas = defaultSchemas }: LoadTarget,
  options: SubmitOptions,
  say: (text: string) => void = () => undefined,
): Promise<SubmitReport> {
  const { clients, seconds, count, units, price, user, waitResult = false } = options;
  const client = new HttpClient(gatewayUrl, clients);
  let book: OrderBook | undefined;
  try {
    book = await OrderBook.open(mysqlUrl, schemas.order);
    say(`putting ${options.products} products on sale`);
    const products = await createGoods(client, options);
    const order = { userID: user, productCount: units, amount: price * units, couponID: 0, waitResult };
    const bodies = products.map((productID) => JSON.stringify({ productID, ...order }));
    say(`ordering with ${clients} clients for ${seconds} s`);
    const began = await book.now();
    const meter = new CpuMeter([...processes, { name: 'load', pid: process.pid }]);
    const send = () => client.post('/api/v1/order/submit', bodies[Math.floor(Math.random() * bodies.length)] ?? '');
    const loop = await closedLoop({ clients, seconds, count, send });
    const ended = await book.now();
    const busy = meter.busy();
    say('waiting for the orders that still run');
    const unfinishedAfter5s = await book.waitUntilFinished(began, GRACE_SECONDS);
    if (unfinishedAfter5s > 0) await book.waitUntilFinished(began, options.tail - GRACE_SECONDS);
    const cpu = meter.usage();
    const finished = await book.finished(products, began, ended);
    if (options.audit) say('auditing');
    const report = options.audit
      ? await audit(mysqlUrl, { schemas, settleSeconds: GRACE_SECONDS, keep: 20 })
      : undefined;
    return {
      options,
      seconds: loop.seconds,
      accepted: loop.ok,
      acceptedPerSecond: loop.ok / loop.seconds,
      finished,
      finishedPerSecond: finished.duringLoad / loop.seconds,
      finishedPerSecondWithTail: (finished.placed + finished.cancelled) / (loop.seconds + finished.tailSeconds),
      unfinishedAfter5s,
      answer: percentiles(loop.latencies),
      errors: loop.errors,
      cpu,
      busy,
      audit: report && { holds: report.holds, broken: report.broken, violations: report.violations },
    };
  } finally {
    client.close();
    await book?.close();
  }
}
