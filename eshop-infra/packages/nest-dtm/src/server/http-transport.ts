import type { CallFailure } from './call-failure.js';
import { branchJson, transactionJson } from './dtm-json.js';
import type { DtmBranchRequest, DtmRequest } from './dtm-request.js';
import type { DtmTransport, TransactionCall } from './dtm-transport.js';
import { GrpcStatus } from './grpc-status.js';
import { type HttpAnswer, type HttpClient, HttpLost } from './http-client.js';

/** DTM's HTTP listener. Its answers are turned into the gRPC statuses that mean the same. */
export class HttpTransport implements DtmTransport {
  constructor(private readonly http: HttpClient) {}

  transaction(call: TransactionCall, request: DtmRequest, deadlineMs: number): Promise<CallFailure | null> {
    return this.#post(`/api/dtmsvr/${call}`, transactionJson(request), deadlineMs);
  }

  registerBranch(request: DtmBranchRequest, deadlineMs: number): Promise<CallFailure | null> {
    return this.#post('/api/dtmsvr/registerBranch', branchJson(request), deadlineMs);
  }

  /** The connections belong to the server's queries too, who closes them. */
  close(): void {}

  async #post(path: string, body: string, deadlineMs: number): Promise<CallFailure | null> {
    try {
      return judge(await this.http.send('POST', path, deadlineMs, body));
    } catch (error) {
      if (!(error instanceof HttpLost)) throw error;
      const { message: text, maybeReceived } = error;
      return {
        code: error.timedOut ? GrpcStatus.DEADLINE_EXCEEDED : GrpcStatus.UNAVAILABLE,
        text,
        maybeReceived,
        error,
      };
    }
  }
}

function judge({ statusCode, body }: HttpAnswer): CallFailure | null {
  const answer = read(body);
  if (statusCode === 200 && answer?.dtm_result === 'SUCCESS') return null;
  const quoted = `${statusCode} ${body.slice(0, 200)}`;
  const words = typeof answer?.message === 'string' ? answer.message : undefined;
  const code = words === undefined ? GrpcStatus.UNIMPLEMENTED : statusOf(statusCode, words);
  const text = code === GrpcStatus.UNIMPLEMENTED ? quoted : (words ?? quoted);
  return { code, text, maybeReceived: true, error: new Error(`DTM answered ${quoted}`) };
}

/** The status DTM's gRPC listener gives in the same case; UNIMPLEMENTED for what DTM never answers. */
function statusOf(statusCode: number, words: string): number {
  if (statusCode === 409) return GrpcStatus.ABORTED;
  if (statusCode === 425) return GrpcStatus.FAILED_PRECONDITION;
  if (statusCode !== 500) return GrpcStatus.UNIMPLEMENTED;
  return words.startsWith('dtm panic') ? GrpcStatus.UNKNOWN : GrpcStatus.INTERNAL;
}

function read(body: string): { dtm_result?: unknown; message?: unknown } | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
