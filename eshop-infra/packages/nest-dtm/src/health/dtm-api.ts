import { describe } from '../branch/answer.js';
import { DtmUnavailable } from '../errors.js';

/** An answer of DTM's HTTP side. */
export interface ApiAnswer {
  status: number;
  body: string;
}

/**
 * One call of DTM's HTTP side: GET, or POST with a body.
 *
 * @throws {DtmUnavailable} no answer within the deadline
 */
export async function callApi(http: string, path: string, deadlineMs: number, body?: object): Promise<ApiAnswer> {
  try {
    const response = await fetch(`${http.replace(/\/+$/, '')}${path}`, {
      signal: AbortSignal.timeout(deadlineMs),
      ...(body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.text() };
  } catch (cause) {
    throw new DtmUnavailable(`no answer from the DTM server at ${http}: ${describe(cause)}`, { cause });
  }
}
