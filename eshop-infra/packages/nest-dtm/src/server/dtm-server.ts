import type { DtmServerOptions } from '../dtm-options.js';
import { DtmGidTaken, DtmProtocolError, DtmUnavailable } from '../errors.js';
import type { CallFailure } from './call-failure.js';
import type { DtmBranchRequest, DtmRequest } from './dtm-request.js';
import type { DtmTransport, TransactionCall } from './dtm-transport.js';
import { GrpcTransport } from './grpc-transport.js';
import { type HttpAnswer, HttpClient, HttpLost } from './http-client.js';
import { HttpTransport } from './http-transport.js';
import { queryPath } from './query-path.js';
import { parseTransaction, type Transaction } from './transaction.js';

/** The connections to one DTM server, kept open: one protocol for what changes a transaction, HTTP for what is asked. */
export class DtmServer {
  readonly protocol: 'grpc' | 'http';
  readonly deadlineMs: number;
  readonly waitDeadlineMs: number;
  readonly #http: HttpClient;
  readonly #transport: DtmTransport;
  readonly #httpTransport: HttpTransport;

  constructor(options: DtmServerOptions) {
    this.protocol = options.protocol ?? 'grpc';
    this.deadlineMs = options.deadlineMs ?? 3_000;
    this.waitDeadlineMs = options.waitDeadlineMs ?? 12_000;
    this.#http = new HttpClient(options.http.replace(/\/+$/, ''));
    this.#httpTransport = new HttpTransport(this.#http);
    this.#transport =
      this.protocol === 'http' || options.grpc === undefined ? this.#httpTransport : new GrpcTransport(options.grpc);
  }

  /** Resolves with `null` when DTM acknowledged the call. */
  transaction(call: TransactionCall, request: DtmRequest, deadlineMs: number): Promise<CallFailure | null> {
    const transport = request.calledByHttp ? this.#httpTransport : this.#transport;
    return transport.transaction(call, request, deadlineMs);
  }

  /** Adds a branch to a prepared transaction. Resolves with `null` when DTM acknowledged it. */
  registerBranch(request: DtmBranchRequest, deadlineMs: number): Promise<CallFailure | null> {
    return this.#transport.registerBranch(request, deadlineMs);
  }

  /**
   * What the server has stored under `gid`; `null` when nothing.
   *
   * @throws {DtmUnavailable} no answer within the deadline
   * @throws {DtmGidTaken} it answers for another gid
   * @throws {DtmProtocolError} an answer DTM 1.18 never gives
   */
  async query(gid: string, deadlineMs: number = this.deadlineMs): Promise<Transaction | null> {
    const { statusCode, body } = await this.http('GET', queryPath(gid), deadlineMs);
    if (statusCode >= 500)
      throw new DtmUnavailable(`the DTM server cannot answer a query: ${statusCode} ${body.slice(0, 200)}`, { gid });
    if (statusCode !== 200)
      throw new DtmProtocolError(`the DTM server answered a query with ${statusCode}: ${body.slice(0, 200)}`, { gid });
    const transaction = parseTransaction(body);
    if (transaction && transaction.gid !== gid) throw new DtmGidTaken(gid, transaction.gid);
    return transaction;
  }

  /** @throws {DtmUnavailable} no answer within the deadline */
  async http(method: 'GET' | 'POST' | 'DELETE', path: string, deadlineMs = this.deadlineMs): Promise<HttpAnswer> {
    try {
      return await this.#http.send(method, path, deadlineMs);
    } catch (error) {
      if (error instanceof HttpLost) throw new DtmUnavailable(`DTM: ${error.message}`, { cause: error });
      throw error;
    }
  }

  close(): void {
    this.#transport.close();
    this.#http.close();
  }
}
