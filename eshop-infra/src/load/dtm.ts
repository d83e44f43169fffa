import { randomUUID } from 'node:crypto';
import { type Answers, measureAnswers } from './answers.ts';
import type { MeasuredProcess } from './cpu.ts';
import { type Answer, HttpClient } from './http-client.ts';

export interface DtmOptions {
  clients: number;
  seconds: number;
  /** At most so many sagas. */
  count?: number;
}

export interface DtmReport extends Omit<Answers, 'answered' | 'answeredPerSecond'> {
  options: DtmOptions;
  /** Sagas that came to their end before they were answered. */
  finished: number;
  finishedPerSecond: number;
}

/** An order has as many: the order's row, the stock, the payment. */
const STEPS = 3;

/**
 * What DTM itself can do on this machine: sagas of as many branches as an order has, all without an address, so that DTM
 * stores every step of each and calls nobody. Each client waits for the end of one saga before it submits the next.
 */
export async function loadDtm(
  { dtmUrl, processes }: { dtmUrl: string; processes: readonly MeasuredProcess[] },
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
    const wanted = ({ status }: Answer) => status === 200;
    const load = { clients, seconds, count, send: submit, wanted };
    const { answered, answeredPerSecond, ...measured } = await measureAnswers(processes, load);
    return { options, finished: answered, finishedPerSecond: answeredPerSecond, ...measured };
  } finally {
    client.close();
  }
}
