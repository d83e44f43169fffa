import type { handleUnaryCall, Server, ServerUnaryCall, StatusObject, sendUnaryData } from '@grpc/grpc-js';
import { grpcJs, installedGrpcJs } from '../server/grpc-js.js';
import { ANSWERS } from './answer.js';
import { type Decision, PendingAnswer } from './pending-answer.js';
import { answerText } from './sendable-text.js';

type Unary = handleUnaryCall<unknown, unknown>;
type Reply = Parameters<sendUnaryData<unknown>>;

/** Where a call keeps its {@link GrpcReply}; also marks the patch. Shared with other copies of this package. */
const SLOT = Symbol.for('@eshop/nest-dtm grpc reply');

/** Requests as they came, for the signature. */
const payloads = new WeakMap<object, Uint8Array>();

/** What grpc-js is told at the end of a call: the handler's word, unless the call is a branch's and something else was decided. */
export class GrpcReply {
  #pending: PendingAnswer | undefined;
  #offered: Reply | undefined;

  constructor(
    private readonly callback: sendUnaryData<unknown>,
    /** The request as it came, before it was read. */
    readonly payload: Uint8Array | undefined,
  ) {}

  /** The callback that the handler gets. */
  readonly answer = (...reply: Reply): void => {
    if (this.#offered) return;
    this.#offered = reply;
    if (this.#pending) this.#pending.offer();
    else this.callback(...reply);
  };

  /** From here on the call is a branch's. */
  hold(overruled: (offered: string) => void): PendingAnswer {
    if (this.#offered && !this.#pending) this.#pending = new PendingAnswer(() => undefined);
    this.#pending ??= new PendingAnswer((decision) => {
      const [error = null, , trailer, flags] = this.#offered ?? [];
      if (decision.kind === 'success') {
        if (error) overruled(`${code(error)}`);
        this.callback(null, decision.value, error ? undefined : trailer, flags);
        return;
      }
      const same = code(error) === ANSWERS[decision.kind].grpcStatus;
      if (this.#offered && !same) overruled(error ? `${code(error)}` : '0');
      // What an application renders of the decision stays: its words and its trailers.
      this.callback(same ? passed(error ?? {}) : status(decision), null, same ? trailer : undefined);
    });
    return this.#pending;
  }

  /** The handler has failed without an answer. */
  failed(error: unknown): void {
    // As without us: nobody looks after the failure of a handler that is not a branch's.
    if (!this.#pending) throw error;
    this.answer({ details: error instanceof Error ? error.message : String(error) });
  }
}

/** The reply of a call whose handler was registered after {@link enforceGrpcAnswers}. */
export function grpcReplyOf(call: object | undefined): GrpcReply | undefined {
  const reply: unknown = call && Reflect.get(call, SLOT);
  // Not `instanceof`: the handler may have been wrapped by another copy of this package.
  return typeof reply === 'object' && reply !== null && 'hold' in reply ? (reply as GrpcReply) : undefined;
}

/**
 * From now on every server of grpc-js keeps requests as they came, and lets the library have the last word about its branches: what the application's filters and
 * interceptors have made of an answer comes through the handler's callback, and nothing comes behind that. A server is given its
 * handlers when it starts to listen, which is after the modules were built.
 */
export function enforceGrpcAnswers(): void {
  const prototype = installedGrpcJs()?.Server.prototype;
  // Without the library nothing is served over gRPC.
  if (!prototype || SLOT in prototype.register) return;
  const { register } = prototype;
  const enforcing: Server['register'] = function (this: Server, path, handler, serialize, deserialize, type) {
    if (type !== 'unary')
      return register.call(this, path, handler as never, serialize as never, deserialize as never, type);
    const read = (bytes: Buffer): unknown => {
      const message: unknown = deserialize(bytes);
      if (typeof message === 'object' && message !== null) payloads.set(message, bytes);
      return message;
    };
    return register.call(this, path, enforced(handler as Unary) as never, serialize as never, read as never, type);
  };
  prototype.register = Object.assign(enforcing, { [SLOT]: true });
}

function enforced(handler: Unary): Unary {
  return (call: ServerUnaryCall<unknown, unknown>, callback) => {
    const { request } = call;
    const reply = new GrpcReply(
      callback,
      typeof request === 'object' && request !== null ? payloads.get(request) : undefined,
    );
    Object.assign(call, { [SLOT]: reply });
    const running: unknown = handler(call, reply.answer);
    if (running instanceof Promise) running.catch((error: unknown) => reply.failed(error));
  };
}

function code(error: Reply[0]): number | undefined {
  return error && typeof error.code === 'number' ? error.code : undefined;
}

function passed(error: NonNullable<Reply[0]>): Partial<StatusObject> {
  const { code, details, message, metadata } = error as Partial<StatusObject> & { message?: unknown };
  return {
    code,
    details: answerText(String(details ?? message ?? '')),
    ...(metadata instanceof grpcJs('a gRPC call').Metadata && { metadata }),
  };
}

function status(decision: Exclude<Decision, { kind: 'success' }>): Partial<StatusObject> {
  return { code: ANSWERS[decision.kind].grpcStatus, details: answerText(decision.text) };
}
