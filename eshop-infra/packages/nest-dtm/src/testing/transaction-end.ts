import { DtmUnavailable } from '../errors.js';
import { HttpClient } from '../server/http-client.js';
import { queryPath } from '../server/query-path.js';
import { parseTransaction, type Transaction } from '../server/transaction.js';
import { pause } from '../transaction/budget.js';

/** A transaction of which nothing more will be called. */
export interface EndedTransaction extends Transaction {
  /** Everything took effect, or nothing stays. */
  status: 'succeed' | 'failed';
}

/** Between two looks, milliseconds. */
const EVERY_MS = 25;

/**
 * Waits until a transaction is final; a DTM that does not answer meanwhile is asked again.
 *
 * @param dtm a `DtmService`, or the address of a DTM server's HTTP listener
 * @param timeoutMs longest wait, milliseconds
 * @throws when it is not final in time; the message tells what is known of it
 */
export async function transactionEnd(
  dtm: { query(gid: string): Promise<Transaction | null> } | string,
  gid: string,
  timeoutMs = 25_000,
): Promise<EndedTransaction> {
  const client = typeof dtm === 'string' ? new HttpClient(dtm.replace(/\/$/, '')) : undefined;
  const query = client ? () => ask(client, gid) : () => (dtm as Exclude<typeof dtm, string>).query(gid);
  const end = performance.now() + timeoutMs;
  try {
    for (;;) {
      const transaction = await query().catch(absent);
      if (transaction?.status === 'succeed' || transaction?.status === 'failed') return transaction as EndedTransaction;
      if (performance.now() > end) throw new Error(`${gid} is not final after ${timeoutMs} ms: ${words(transaction)}`);
      await pause(EVERY_MS);
    }
  } finally {
    client?.close();
  }
}

async function ask(client: HttpClient, gid: string): Promise<Transaction | null | undefined> {
  const { statusCode, body } = await client.send('GET', queryPath(gid), 2_000);
  return statusCode === 200 ? parseTransaction(body) : undefined;
}

function absent(error: unknown): undefined {
  if (error instanceof DtmUnavailable || (error instanceof Error && error.name === 'HttpLost')) return undefined;
  throw error;
}

function words(transaction: Transaction | null | undefined): string {
  if (transaction === undefined) return 'DTM does not answer';
  if (transaction === null) return 'DTM does not know it';
  const branches = transaction.branches.map(({ branchId, op, status }) => `${branchId} ${op} ${status}`);
  return [transaction.status, ...branches].join(', ');
}
