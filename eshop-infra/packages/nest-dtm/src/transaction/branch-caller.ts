import type { Client, Metadata, ServiceError } from '@grpc/grpc-js';
import { Refusal } from '../branch/refusal.js';

import { NO_REPLY } from '../branch/reply.js';
import { sendableText } from '../branch/sendable-text.js';
import { DtmBranchFailed } from '../errors.js';
import { grpcJs } from '../server/grpc-js.js';
import { GrpcStatus, grpcStatusName } from '../server/grpc-status.js';

/** A branch call that DTM leaves to the submitter, addressed as DTM would address it. */
export interface OwnCall {
  /** `host:port/package.Service/Method`, or `http://…`. */
  url: string;
  gid: string;
  transType: string;
  branchId: string;
  op: string;
  headers: Readonly<Record<string, string>>;
  payload: Uint8Array;
  deadlineMs: number;
}

/** A branch's answer that it took effect. */
export interface BranchReply {
  /** The reply message, or the body. */
  bytes: Buffer;
  /** They say nothing: the branch took effect in an earlier call. */
  skipped: boolean;
}

const asBytes = (bytes: Buffer): Buffer => bytes;

/** Calls branches in DTM's place, over connections it keeps open, and reads their answers as DTM does. */
export class BranchCaller {
  readonly #clients = new Map<string, Client>();

  /**
   * Resolves with the reply.
   *
   * @throws {Refusal} the branch refused
   * @throws {DtmBranchFailed} any other answer, or none
   */
  call(call: OwnCall): Promise<BranchReply> {
    return /^https?:/.test(call.url) ? overHttp(call) : this.#overGrpc(call);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  async #overGrpc(call: OwnCall): Promise<BranchReply> {
    const slash = call.url.indexOf('/');
    const metadata = new (grpcJs('branches').Metadata)();
    metadata.set('dtm-gid', call.gid);
    metadata.set('dtm-trans_type', call.transType);
    metadata.set('dtm-branch_id', call.branchId);
    metadata.set('dtm-op', call.op);
    for (const key in call.headers) metadata.set(key, call.headers[key] ?? '');
    const deadline = Date.now() + call.deadlineMs;
    return new Promise((resolve, reject) => {
      let skipped = false;
      const unary = this.#client(call.url.slice(0, slash)).makeUnaryRequest(
        call.url.slice(slash),
        asBytes,
        asBytes,
        Buffer.from(call.payload),
        metadata,
        { deadline },
        (error: ServiceError | null, reply?: Buffer) =>
          error ? reject(fromStatus(call, error)) : resolve({ bytes: reply ?? Buffer.alloc(0), skipped }),
      );
      unary.on('metadata', (header: Metadata) => {
        skipped = header.get(NO_REPLY).length > 0;
      });
    });
  }

  #client(address: string): Client {
    let client = this.#clients.get(address);
    if (!client) {
      const { Client, credentials } = grpcJs('branches');
      client = new Client(address, credentials.createInsecure(), { 'grpc.max_reconnect_backoff_ms': 1_000 });
      this.#clients.set(address, client);
    }
    return client;
  }
}

function fromStatus(call: OwnCall, error: ServiceError): Error {
  if (error.code === GrpcStatus.ABORTED && error.details !== 'ONGOING')
    return new Refusal(error.details, { cause: error });
  return failed(call, `${grpcStatusName(error.code)} ${error.details}`, error);
}

async function overHttp(call: OwnCall): Promise<BranchReply> {
  const url = new URL(call.url);
  const { gid, branchId, transType, op } = call;
  for (const [key, value] of Object.entries({ gid, trans_type: transType, branch_id: branchId, op }))
    url.searchParams.set(key, value);
  let answer: { status: number; body: Buffer; skipped: boolean };
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...call.headers },
      body: Buffer.from(call.payload),
      signal: AbortSignal.timeout(call.deadlineMs),
    });
    answer = {
      status: response.status,
      body: Buffer.from(await response.arrayBuffer()),
      skipped: response.headers.has(NO_REPLY),
    };
  } catch (error) {
    throw failed(call, error instanceof Error ? error.message : String(error), error);
  }
  const text = answer.body.toString();
  // The order of DTM's own client: words before statuses.
  if (answer.status !== 425 && !text.includes('ONGOING')) {
    if (answer.status === 409 || text.includes('FAILURE')) throw new Refusal(words(text));
    if (answer.status === 200) return { bytes: answer.body, skipped: answer.skipped };
  }
  throw failed(call, `${answer.status} ${text.slice(0, 200)}`);
}

/** The message of a Nest exception, else the body itself. */
function words(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return sendableText(message);
  } catch {
    // The body is the words.
  }
  return sendableText(body);
}

function failed({ gid, branchId, op, url }: OwnCall, text: string, cause?: unknown): DtmBranchFailed {
  return new DtmBranchFailed(`branch ${branchId} ${op} at ${url}: ${text}`, { gid, cause });
}
