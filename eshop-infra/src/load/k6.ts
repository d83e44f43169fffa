import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { helperStarted } from '../base/interrupt.ts';
import type { Say } from '../base/say.ts';
import { CpuMeter, type CpuUsage } from './cpu.ts';
import { type FinishedOrders, OrderBook } from './finished-orders.ts';
import { setSale } from './goods.ts';
import { HttpClient } from './http-client.ts';
import { auditAfter, databasesOnly, type LoadTarget, type RunReport } from './orders-run.ts';

/** The scripts in `k6/`, by their names without `.js`. */
export const k6Scripts = ['submitOrder', 'flashSale', 'list'] as const;
export type K6Script = (typeof k6Scripts)[number];

export interface K6Options {
  script: K6Script;
  vus: number;
  /** Seconds; absent when `iterations` says how long it lasts. */
  duration?: number;
  /** In all, shared by the virtual users. */
  iterations?: number;
  /** Units that the product gets before the run: in its sale for `flashSale`, free for `submitOrder`. */
  units: number;
  tail: number;
  audit: boolean;
}

/** The product that the scripts order, as `eshop up` seeds it. */
const PRODUCT_ID = 1;

export interface K6Report {
  options: K6Options;
  seconds: number;
  /** Checks that held and that did not: answers with status 200 and code 0, and all others. */
  passed: number;
  failed: number;
  passedPerSecond: number;
  /** What became of the orders; absent for `list`. */
  finished?: FinishedOrders;
  finishedPerSecond?: number;
  finishedPerSecondWithTail?: number;
  cpu: CpuUsage[];
  busy: number;
  audit: RunReport['audit'];
}

/** The part of k6's summary that counts. */
interface Summary {
  metrics: { checks?: { passes: number; fails: number } };
}

/** Runs k6 to its end with its own output on the terminal; returns its summary. */
async function runK6(binary: string, directory: string, gatewayUrl: string, options: K6Options): Promise<Summary> {
  const temporary = mkdtempSync(join(tmpdir(), 'eshop-k6-'));
  try {
    const file = join(temporary, 'summary.json');
    const { script, vus, duration, iterations } = options;
    const args = ['run', '--no-usage-report', '--summary-export', file, '--vus', String(vus)];
    if (duration !== undefined) args.push('--duration', `${duration}s`);
    if (iterations !== undefined) args.push('--iterations', String(iterations));
    const child = spawn(binary, [...args, '--env', `BASE_URL=${gatewayUrl}`, join(directory, `${script}.js`)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    helperStarted(child);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`k6 ended with ${code ?? 'a signal'}`);
    return JSON.parse(readFileSync(file, 'utf8')) as Summary;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Gives the product of the scripts the units that they order. */
async function prepare(gatewayUrl: string, { script, units }: K6Options): Promise<void> {
  if (script === 'list') return;
  const client = new HttpClient(gatewayUrl, 1);
  try {
    await setSale(client, PRODUCT_ID, units, script === 'flashSale' ? units : 0);
  } finally {
    client.close();
  }
}

/**
 * Runs one of the k6 scripts against this machine's gateway, and reads from the books what became of the orders.
 * @param binary of k6
 * @param directory of the scripts
 */
export async function loadK6(
  { gatewayUrl, mysqlUrl, processes, sources = databasesOnly }: LoadTarget,
  options: K6Options,
  { binary, directory }: { binary: string; directory: string },
  say: Say = () => undefined,
): Promise<K6Report> {
  await prepare(gatewayUrl, options);
  const book = await OrderBook.open(mysqlUrl, sources.schemas.order);
  try {
    const since = await book.now();
    const meter = new CpuMeter(processes);
    const began = performance.now();
    const { metrics } = await runK6(binary, directory, gatewayUrl, options);
    const seconds = (performance.now() - began) / 1000;
    const ended = await book.now();
    const busy = meter.busy();
    const { passes: passed = 0, fails: failed = 0 } = metrics.checks ?? {};
    const figures = { options, seconds, passed, failed, passedPerSecond: passed / seconds, busy };
    if (options.script === 'list') return { ...figures, cpu: meter.usage(), audit: undefined };
    const run = { products: [PRODUCT_ID], since, accepted: passed };
    say('waiting for the orders that still run');
    await book.waitWhileFinishing(run, options.tail);
    const finished = await book.finished(run, ended);
    return {
      ...figures,
      cpu: meter.usage(),
      finished,
      finishedPerSecond: finished.duringLoad / seconds,
      finishedPerSecondWithTail: (finished.placed + finished.cancelled) / (seconds + finished.tailSeconds),
      audit: options.audit ? await auditAfter(mysqlUrl, sources, say) : undefined,
    };
  } finally {
    await book.close();
  }
}
