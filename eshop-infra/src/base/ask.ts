/** An answer of a service. */
interface Envelope<T> {
  code: number;
  msg: string;
  data: T;
}

/** A service answered, and it was no success. */
export class Refused extends Error {
  /** The HTTP status and the contract's code; -1 when the body is no envelope. */
  readonly status: number;
  readonly code: number;

  constructor(method: string, url: string, status: number, text: string) {
    const { code = -1, msg = text.slice(0, 600) } = envelopeIn(text);
    super(`${method} ${url} answers ${status}: ${code} ${msg}`);
    this.name = 'Refused';
    this.status = status;
    this.code = code;
  }
}

const TIMEOUT_MS = 20_000;

/**
 * Sends a request and gives back the whole JSON of the answer.
 * @throws Refused when it is no success; Error when nobody answers
 */
export async function askJson<T>(method: string, url: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new Error(
      `${method} ${url}: no answer (${String((error as Error).cause ?? error)}); is it up? "eshop status"`,
      { cause: error },
    );
  }
  const text = await response.text();
  if (!response.ok) throw new Refused(method, url, response.status, text);
  return JSON.parse(text) as T;
}

/** The data in the envelope of a service's answer; throws as {@link askJson}. */
export async function ask<T>(method: string, url: string, body?: unknown): Promise<T> {
  return (await askJson<Envelope<T>>(method, url, body)).data;
}

function envelopeIn(text: string): Partial<Envelope<unknown>> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Envelope<unknown>>;
  } catch {
    return {};
  }
}
