import { closedLoop } from './closed-loop.ts';
import { CpuMeter, type CpuUsage } from './cpu.ts';
import { HttpClient } from './http-client.ts';
import type { LoadTarget } from './orders-run.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

export interface ListOptions {
  clients: number;
  seconds: number;
  /** At most so many requests. */
  count?: number;
  /** Rows per list. */
  limit: number;
}

export interface ListReport {
  options: ListOptions;
  seconds: number;
  answered: number;
  answeredPerSecond: number;
  answer: Percentiles;
  errors: Record<string, number>;
  cpu: CpuUsage[];
  busy: number;
}

const LISTS = ['coupon', 'order', 'product', 'stock', 'user'];

/** Reads the gateway's lists in turn, as fast as a number of clients can. */
export async function loadList(
  target: Pick<LoadTarget, 'gatewayUrl' | 'processes'>,
  options: ListOptions,
): Promise<ListReport> {
  const { clients, seconds, count, limit } = options;
  const client = new HttpClient(target.gatewayUrl, clients);
  try {
    const meter = new CpuMeter([...target.processes, { name: 'load', pid: process.pid }]);
    const send = (number: number) => client.get(`/api/v1/${LISTS[number % LISTS.length]}/list?limit=${limit}`);
    const loop = await closedLoop({ clients, seconds, count, send });
    return {
      options,
      seconds: loop.seconds,
      answered: loop.ok,
      answeredPerSecond: loop.ok / loop.seconds,
      answer: percentiles(loop.latencies),
      errors: loop.errors,
      cpu: meter.usage(),
      busy: meter.busy(),
    };
  } finally {
    client.close();
  }
}
