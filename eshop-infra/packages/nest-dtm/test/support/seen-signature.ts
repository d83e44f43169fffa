import { SIGNATURE_HEADER } from '../../src/index.js';
import { env } from './env.js';

/** The signature of a transaction, as DTM shows it to whoever asks. */
export async function seenSignature(gid: string, http = env.dtmHttp): Promise<string> {
  const response = await fetch(`${http}/api/dtmsvr/query?gid=${encodeURIComponent(gid)}`);
  const { transaction } = (await response.json()) as { transaction: { options: string } };
  const { branch_headers } = JSON.parse(transaction.options) as { branch_headers: Record<string, string> };
  return branch_headers[SIGNATURE_HEADER] ?? '';
}
