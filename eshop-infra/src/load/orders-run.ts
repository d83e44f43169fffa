import { type AuditReport, audit } from '../audit/audit.ts';
import { defaultSchemas } from '../audit/schemas.ts';
import type { Sources } from '../audit/sources.ts';
import type { Say } from '../base/say.ts';
import { closedLoop } from './closed-loop.ts';
import { CpuMeter, type CpuUsage, type MeasuredProcess } from './cpu.ts';
import { loadDtm } from './dtm.ts';
import { type FinishedOrders, OrderBook } from './finished-orders.ts';
import type { Answer } from './http-client.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

export interface RunOptions {
  clients: number;
  seconds: number;
  /** At most so many orders. */
  count?: number;
  /** Seconds to order before anything is measured, so that the services are compiled; default 0. */
  warmup?: number;
  /** How long to measure what DTM alone can do, in seconds: half of it before the load and half after; default 0. */
  dtmSeconds?: number;
  /** How long to wait, when the load has ended, for the next order to finish, in seconds. */
  tail: number;
  audit: boolean;
}

/** What a load runs on. */
export interface LoadTarget {
  gatewayUrl: string;
  mysqlUrl: string;
  /** HTTP URL of the DTM server that carries orders out. */
  dtmUrl?: string;
  /** The processes whose time is measured. */
  processes: readonly MeasuredProcess[];
  sources?: Sources;
}

export interface RunReport {
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
  /** Sagas per second that DTM finishes when it has nothing else to do; undefined when that was not measured. */
  dtmPerSecond: number | undefined;
  /** As the client saw it, in ms. */
  answer: Percentiles;
  errors: Record<string, number>;
  cpu: CpuUsage[];
  /** Share of the machine's processors that was busy while orders were sent, from 0 to 1. */
  busy: number;
  audit: Pick<AuditReport, 'holds' | 'broken' | 'violations'> | undefined;
}

/** What is audited when a target does not say it. */
export const databasesOnly: Sources = { schemas: defaultSchemas };

/** Seconds that orders have to end after the load, before it is counted how many have not. */
export const GRACE_SECONDS = 5;

/** What was on order, and how to order one. */
export interface Ordering {
  products: readonly number[];
  send: () => Promise<Answer>;
}

/** Orders as fast as a number of clients can, and reads from the books what became of the orders. */
export async function runOrders(
  { mysqlUrl, dtmUrl, processes, sources = databasesOnly }: LoadTarget,
  options: RunOptions,
  { products, send }: Ordering,
  say: Say,
): Promise<RunReport> {
  const { clients, seconds, count, warmup = 0, dtmSeconds = 0 } = options;
  const dtmAlone: number[] = [];
  const measureDtm = async () => {
    if (dtmUrl === undefined || dtmSeconds === 0) return;
    say(`DTM alone for ${dtmSeconds / 2} s`);
    const { finishedPerSecond } = await loadDtm({ dtmUrl, processes: [] }, { clients, seconds: dtmSeconds / 2 });
    dtmAlone.push(finishedPerSecond);
  };
  const book = await OrderBook.open(mysqlUrl, sources.schemas.order);
  try {
    if (warmup > 0) {
      say(`warming up for ${warmup} s`);
      const since = await book.now();
      const { ok } = await closedLoop({ clients, seconds: warmup, send });
      await book.waitWhileFinishing({ products, since, accepted: ok }, options.tail);
    }
    await measureDtm();
    say(`ordering with ${clients} clients for ${seconds} s`);
    const since = await book.now();
    const meter = new CpuMeter([...processes, { name: 'load', pid: process.pid }]);
    const loop = await closedLoop({ clients, seconds, count, send });
    const ended = await book.now();
    const busy = meter.busy();
    const run = { products, since, accepted: loop.ok };
    say('waiting for the orders that still run');
    const unfinishedAfter5s = await book.waitUntilFinished(run, GRACE_SECONDS);
    if (unfinishedAfter5s > 0) await book.waitWhileFinishing(run, options.tail);
    const cpu = meter.usage();
    const finished = await book.finished(run, ended);
    await measureDtm();
    return {
      seconds: loop.seconds,
      accepted: loop.ok,
      acceptedPerSecond: loop.ok / loop.seconds,
      finished,
      finishedPerSecond: finished.duringLoad / loop.seconds,
      finishedPerSecondWithTail: (finished.placed + finished.cancelled) / (loop.seconds + finished.tailSeconds),
      unfinishedAfter5s,
      dtmPerSecond: dtmAlone.length > 0 ? dtmAlone.reduce((sum, each) => sum + each, 0) / dtmAlone.length : undefined,
      answer: percentiles(loop.latencies),
      errors: loop.errors,
      cpu,
      busy,
      audit: options.audit ? await auditAfter(mysqlUrl, sources, say) : undefined,
    };
  } finally {
    await book.close();
  }
}

/** The audit that ends each run; violations beyond the first twenty of a kind are only counted. */
export async function auditAfter(
  mysqlUrl: string,
  sources: Sources,
  say: Say,
): Promise<Pick<AuditReport, 'holds' | 'broken' | 'violations'>> {
  say('auditing');
  const { holds, broken, violations } = await audit(mysqlUrl, {
    ...sources,
    settleSeconds: GRACE_SECONDS,
    keep: 20,
    say,
  });
  return { holds, broken, violations };
}
