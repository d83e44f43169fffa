import { randomUUID } from 'node:crypto';
import { closedLoop } from './closed-loop.ts';
import { CpuMeter, type CpuUsage } from './cpu.ts';
import { HttpClient } from './http-client.ts';
import type { LoadTarget } from './orders-run.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

export interface DtmOptions {
  clients: number;
  seconds: number;
  /** At most so many sagas. */
  count?: number;
}

export interface DtmReport {
  options: DtmOptions;
  seconds: number;
  finished: number;
  finishedPerSecond: number;
  /** From the submit to the end of the saga, in ms. */
  answer: Percentiles;
  errors: Record<string, number>;
  cpu: CpuUsage[];
  busy: number;
}

/** An order has as many: the order's row, the stock, the payment. */
const STEPS = 3;

/**
 * What DTM itself can do on this machine: sagas of as many branches as an order has, all without an address, so that DTM
 * stores every step of each and calls nobody. Each client waits for the end of one saga before it submits the next.
 */
export async function loadDtm(
  { dtmUrl, processes }: Pick<LoadTarget, 'processes'> & { dtmUrl: string },
  options: DtmOptions,
): Promise<DtmReport> {
  const { clients, seconds, count } = options;
  const client = new HttpClient(dtmUrl, clients);
  const steps = Array.from({ length: STEPS }, () => ({ action: '', compensate: '' }));
  const payloads = steps.map(() => '{}');
  const submit = () =>
    client.post(
      '/api/dtmsvr/submit',
      JSON.stringify({ gid: `eshop-load-${randomUUID()}`, trans_type: 'saga', steps, payloads, wait_result: true }),
    );
  try {
    const meter = new CpuMeter([...processes, { name: 'load', pid: process.pid }]);
    const loop = await closedLoop({ clients, seconds, count, send: submit, wanted: ({ status }) => status === 200 });
    return {
      options,
      seconds: loop.seconds,
      finished: loop.ok,
      finishedPerSecond: loop.ok / loop.seconds,
      answer: percentiles(loop.latencies),
      errors: loop.errors,
      cpu: meter.usage(),
      busy: meter.busy(),
    };
  } finally {
    client.close();
  }
}
