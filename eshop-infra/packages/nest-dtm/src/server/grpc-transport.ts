import type { Client, Metadata, ServiceError } from '@grpc/grpc-js';
import type { CallFailure } from './call-failure.js';
import type { DtmBranchRequest, DtmRequest } from './dtm-request.js';
import type { DtmTransport, TransactionCall } from './dtm-transport.js';
import { encodeDtmBranchRequest, encodeDtmRequest } from './dtmgimp.codec.js';
import { grpcJs } from './grpc-js.js';
import { GrpcStatus } from './grpc-status.js';

const PATHS = {
  prepare: '/dtmgimp.Dtm/Prepare',
  submit: '/dtmgimp.Dtm/Submit',
  abort: '/dtmgimp.Dtm/Abort',
} as const;

/** grpc-js's texts for a call that never left the process. */
const NEVER_SENT = /^(No connection established|Name resolution failed|Failed to connect|Channel closed)|ECONNREFUSED/;

const asBytes = (bytes: Buffer): Buffer => bytes;
/** Empty carries nothing; null would make grpc-js report an OK as "No message received". */
const nothing = (): boolean => true;

/** DTM's gRPC listener. */
export class GrpcTransport implements DtmTransport {
  readonly #client: Client;
  readonly #noMetadata: Metadata;

  constructor(address: string) {
    const { Client, credentials, Metadata } = grpcJs('grpc');
    this.#noMetadata = new Metadata();
    // No keepalive: DTM refuses pings more often than every 5 minutes. The back-off's default ceiling of two minutes would
    // keep refusing submits long after a restarted server is back.
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      'grpc.service_config_disable_resolution': 1,
      // statistics that nobody reads
      'grpc.enable_channelz': 0,
    });
  }

  transaction(call: TransactionCall, request: DtmRequest, deadlineMs: number): Promise<CallFailure | null> {
    return this.#call(PATHS[call], encodeDtmRequest(request), deadlineMs);
  }

  registerBranch(request: DtmBranchRequest, deadlineMs: number): Promise<CallFailure | null> {
    return this.#call('/dtmgimp.Dtm/RegisterBranch', encodeDtmBranchRequest(request), deadlineMs);
  }

  close(): void {
    this.#client.close();
  }

  #call(path: string, request: Buffer, deadlineMs: number): Promise<CallFailure | null> {
    return new Promise((resolve) => {
      const deadline = Date.now() + deadlineMs;
      this.#client.makeUnaryRequest(path, asBytes, nothing, request, this.#noMetadata, { deadline }, (error) =>
        resolve(error ? failure(error) : null),
      );
    });
  }
}

function failure(error: ServiceError): CallFailure {
  const maybeReceived = !(error.code === GrpcStatus.UNAVAILABLE && NEVER_SENT.test(error.details));
  return { code: error.code, text: error.details, maybeReceived, error };
}
