import { type Answers, measureAnswers } from './answers.ts';
import { HttpClient } from './http-client.ts';
import type { LoadTarget } from './orders-run.ts';

export interface ListOptions {
  clients: number;
  seconds: number;
  /** At most so many requests. */
  count?: number;
  /** Rows per list. */
  limit: number;
}

export interface ListReport extends Answers {
  options: ListOptions;
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
    const send = (number: number) => client.get(`/api/v1/${LISTS[number % LISTS.length]}/list?limit=${limit}`);
    return { options, ...(await measureAnswers(target.processes, { clients, seconds, count, send })) };
  } finally {
    client.close();
  }
}
