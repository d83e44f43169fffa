import { Agent, request } from 'node:http';

/** What a server answered. */
export interface HttpAnswer {
  statusCode: number;
  body: string;
}

/** No answer came. */
export class HttpLost extends Error {
  constructor(
    message: string,
    /** The server may have received the request. */
    readonly maybeReceived: boolean,
    readonly timedOut: boolean,
    cause: Error,
  ) {
    super(message, { cause });
    this.name = 'HttpLost';
  }
}

/** The kept-open connections to one HTTP server. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  /** @param base `http://host:port` without a slash at the end */
  constructor(readonly base: string) {}

  /**
   * POSTs JSON when a body is given.
   *
   * @throws {HttpLost} no answer within the deadline
   */
  send(method: 'GET' | 'POST' | 'DELETE', path: string, deadlineMs: number, body?: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      let connected = false;
      const signal = AbortSignal.timeout(deadlineMs);
      const fail = (cause: Error): void => {
        const message = `no answer from ${this.base}: ${cause.message || cause.name}`;
        reject(new HttpLost(message, connected, signal.aborted, cause));
      };
      const headers =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const call = request(this.base + path, { method, agent: this.#agent, signal, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ statusCode: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
        response.on('error', fail);
      });
      call.on('socket', (socket) => {
        if (socket.connecting) {
          socket.once('connect', () => {
            connected = true;
          });
        } else connected = true;
      });
      call.on('error', fail);
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
