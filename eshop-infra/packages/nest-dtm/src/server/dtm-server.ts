import { Agent, get } from 'node:http';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { DtmServerOptions } from '../dtm-options.js';
import { DtmProtocolError, DtmUnavailable } from '../errors.js';
import { parseTransaction, type Transaction } from './transaction.js';

/** Why a gRPC call to DTM did not end OK. */
export interface CallFailure {
  code: status;
  text: string;
  /** The server may have received the request. */
  maybeReceived: boolean;
  error: ServiceError;
}

const NO_METADATA = new Metadata();
const SUBMIT = '/dtmgimp.Dtm/Submit';

/** grpc-js's texts for a call that never left the process. */
const NEVER_SENT = /^(No connection established|Name resolution failed|Failed to connect|Channel closed)|ECONNREFUSED/;

/** The connections to one DTM server: gRPC for what changes something, HTTP for queries, both kept open. */
export class DtmServer {
  readonly deadlineMs: number;
  readonly waitDeadlineMs: number;
  readonly #client: Client;
  readonly #http: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(options: DtmServerOptions) {
    this.deadlineMs = options.deadlineMs ?? 3_000;
    this.waitDeadlineMs = options.waitDeadlineMs ?? 12_000;
    this.#http = options.http.replace(/\/+$/, '');
    // No keepalive: DTM refuses pings more often than every 5 minutes. The back-off's default ceiling of two minutes would
    // keep refusing submits long after a restarted server is back.
    this.#client = new Client(options.grpc, credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      'grpc.service_config_disable_resolution': 1,
    });
  }

  /** Sends a `dtmgimp.DtmRequest` to Submit. Resolves with `null` when DTM acknowledged it. */
  submit(request: Buffer, deadlineMs: number): Promise<CallFailure | null> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        SUBMIT,
        (bytes: Buffer) => bytes,
        // Empty carries nothing; null would make grpc-js report an OK as "No message received".
        () => true,
        request,
        NO_METADATA,
        { deadline: Date.now() + deadlineMs },
        (error) => resolve(error ? failure(error) : null),
      );
    });
  }

  /** What the server has stored under `gid`; `null` when nothing. */
  async query(gid: string, deadlineMs: number = this.deadlineMs): Promise<Transaction | null> {
    const { statusCode, body } = await this.#get(`/api/dtmsvr/query?gid=${encodeURIComponent(gid)}`, deadlineMs);
    if (statusCode >= 500)
      throw new DtmUnavailable(`the DTM server cannot answer a query: ${statusCode} ${body.slice(0, 200)}`, { gid });
    if (statusCode !== 200)
      throw new DtmProtocolError(`the DTM server answered a query with ${statusCode}: ${body.slice(0, 200)}`, { gid });
    return parseTransaction(body);
  }

  close(): void {
    this.#client.close();
    this.#agent.destroy();
  }

  #get(path: string, deadlineMs: number): Promise<{ statusCode: number; body: string }> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void =>
        reject(
          new DtmUnavailable(`no answer from the DTM server at ${this.#http}: ${cause.message || cause.name}`, {
            cause,
          }),
        );
      const request = get(
        this.#http + path,
        { agent: this.#agent, signal: AbortSignal.timeout(deadlineMs) },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ statusCode: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          );
          response.on('error', fail);
        },
      );
      request.on('error', fail);
    });
  }
}

function failure(error: ServiceError): CallFailure {
  const maybeReceived = !(error.code === status.UNAVAILABLE && NEVER_SENT.test(error.details));
  return { code: error.code, text: error.details, maybeReceived, error };
}
