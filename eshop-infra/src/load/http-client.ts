import { Agent, request } from 'node:http';
import { loopbackOrigin } from './loopback.ts';

/** What the gateway answered: `{code, msg, data}`, with the HTTP status. */
export interface Answer {
  status: number;
  code: number;
  msg: string;
  data: Record<string, unknown>;
}

const TIMEOUT_MS = 30_000;

/** One kept connection per client, to this machine only. */
export class HttpClient {
  readonly #agent: Agent;
  readonly #origin: URL;

  /** @throws NotLoopback */
  constructor(url: string, connections: number) {
    this.#origin = new URL(loopbackOrigin(url));
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  post(path: string, body: string): Promise<Answer> {
    return this.#request('POST', path, body);
  }

  get(path: string): Promise<Answer> {
    return this.#request('GET', path, '');
  }

  #request(method: 'GET' | 'POST', path: string, body: string): Promise<Answer> {
    // Options instead of a URL: there is nothing to parse for each request. An IPv6 address stands in brackets only in URLs.
    const host = this.#origin.hostname.replace(/^\[|\]$/g, '');
    const port = this.#origin.port || 80;
    const headers =
      body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(
        { agent: this.#agent, host, port, method, path, headers, timeout: TIMEOUT_MS },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', reject);
          response.on('end', () => resolve(answerOf(response.statusCode ?? 0, text)));
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function answerOf(status: number, text: string): Answer {
  try {
    const { code = -1, msg = '', data = {} } = JSON.parse(text) as Partial<Answer>;
    return { status, code, msg, data };
  } catch {
    return { status, code: -1, msg: 'not JSON', data: {} };
  }
}

/** Whether it is a success in the terms of the contract. */
export function isOk({ status, code }: Answer): boolean {
  return status === 200 && code === 0;
}
