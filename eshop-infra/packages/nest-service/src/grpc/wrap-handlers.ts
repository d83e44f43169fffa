import {
  type handleUnaryCall,
  type Metadata,
  Server,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { checkIdempotencyKey, newContext, type RequestContext, runInContext } from '../context/index.js';
import { logError } from '../errors/log-error.js';
import { toGrpcError } from '../errors/to-grpc-error.js';
import { Gate } from '../gate.js';
import type { LargeReplies, ReplyShare } from '../large-replies.js';
import type { Loggers } from '../log/logger.js';
import type { Metrics } from '../metrics/metrics.js';

interface Parts {
  readonly loggers: Loggers;
  readonly metrics: Metrics;
  readonly replies: LargeReplies;
}

type Unary = handleUnaryCall<unknown, unknown>;

/** How long a client that does not take a large reply keeps others from theirs, ms. */
const TAKE_MS = 30_000;

/**
 * Puts context, error mapping, one log line and one measurement around each unary handler registered from now on, and refuses
 * what comes while `maxInFlight` calls are under way. Not what a transaction asks for: it ends work that was accepted.
 */
export function wrapHandlers(server: Server, { loggers, metrics, replies }: Parts, maxInFlight: number): void {
  const { log, requests } = loggers;
  const gate = new Gate({ limit: maxInFlight, refusal: 'too many calls at a time, come back later' });
  const wrap = (path: string, handler: Unary): Unary => {
    const [, domain = '', method = ''] = path.split('/');
    return (call, callback) => {
      const started = performance.now();
      const replyShare = replies.share();
      const context = contextOfCall(call, replyShare);
      let answered = false;
      let gone = false;
      let leave: (() => void) | undefined;
      // grpc-js says "cancelled" at the end of every call: the client went away, or has all of the answer.
      call.once('cancelled', () => {
        gone = true;
        replyShare.abandon();
        if (answered) replyShare.end();
      });
      const answer: sendUnaryData<unknown> = (thrown, value, trailer, flags) => {
        if (answered) return;
        answered = true;
        leave?.();
        if (gone) replyShare.end();
        else if (replyShare.holds) setTimeout(() => replyShare.end(), TAKE_MS).unref();
        let code: number = status.OK;
        if (thrown) {
          const { error, sent } = toGrpcError(thrown, domain, context.requestID);
          code = sent.code;
          logError(log, error, context);
          callback(sent);
        } else callback(null, value, trailer, flags);
        const ms = performance.now() - started;
        metrics.grpcServer.observe(ms, domain, method, code);
        if (requests.isLevelEnabled('info')) {
          const { requestID, traceID, gid } = context;
          requests.info({ requestID, traceID, gid, rpc: path, code, ms: Math.round(ms * 100) / 100 }, 'grpc');
        }
      };
      const fail = (error: unknown) => answer(error as Error);
      runInContext(context, () => {
        try {
          if (context.gid === undefined) leave = gate.enterNow();
          checkIdempotencyKey(one(call.metadata, 'idempotency-key'));
          const running: unknown = handler(call, answer);
          if (running instanceof Promise) running.catch(fail);
        } catch (error) {
          fail(error);
        }
      });
    };
  };
  // Not as it is now: libraries that the application brings wrap handlers, too, when its modules are built.
  const register: Server['register'] = (...handler) => Server.prototype.register.apply(server, handler as never);
  server.register = ((path, handler, serialize, deserialize, type) =>
    register(
      path,
      type === 'unary' ? (wrap(path, handler as Unary) as typeof handler) : handler,
      serialize,
      deserialize,
      type,
    )) as Server['register'];
}

function contextOfCall(call: ServerUnaryCall<unknown, unknown>, replyShare: ReplyShare): RequestContext {
  const { metadata } = call;
  const deadline = call.getDeadline();
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  return newContext({
    requestID: one(metadata, 'request_id'),
    traceparent: one(metadata, 'traceparent'),
    gid: one(metadata, 'dtm-gid'),
    idempotencyKey: one(metadata, 'idempotency-key'),
    deadline: Number.isFinite(at) ? at : undefined,
    replyShare,
  });
}

/** The value of a key that must come once: a list when it came more often. */
function one(metadata: Metadata, key: string): unknown {
  const values = metadata.get(key);
  return values.length > 1 ? values : values[0];
}
