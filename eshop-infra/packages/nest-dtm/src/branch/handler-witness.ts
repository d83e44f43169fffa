import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { catchError, defer, mergeMap, type Observable, tap, toArray } from 'rxjs';
import type { Meaning } from './classify.js';

/** What became of the handler itself. */
interface Seen {
  ran: boolean;
  failed: boolean;
  error?: unknown;
}

const seen = new WeakMap<ExecutionContext, Seen>();

/** The innermost interceptor of a branch. Between it and the barrier stand those of the method, which the application has put there. */
export class HandlerWitness implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const now = seen.get(context);
    if (!now) return next.handle();
    // An interceptor may run it again.
    Object.assign(now, { ran: true, failed: false });
    return next.handle().pipe(
      tap({
        error: (error: unknown) => {
          now.failed = true;
          now.error = error;
        },
      }),
    );
  }
}

/**
 * The handler with the interceptors of its method, which run inside the barrier: they may turn an error that means nothing to DTM
 * into one that does, and fail by themselves. They cannot make a success of an error or of nothing, nor take back what the
 * handler has decided.
 */
export function witnessed(
  context: ExecutionContext,
  next: CallHandler,
  meaning: (error: unknown) => Meaning,
): CallHandler {
  const handle = (): Observable<unknown> => {
    const now: Seen = { ran: false, failed: false };
    seen.set(context, now);
    return next.handle().pipe(
      catchError((error: unknown) => {
        throw now.failed && meaning(now.error) !== 'retry' ? now.error : error;
      }),
      toArray(),
      mergeMap((values) => {
        if (now.failed) throw now.error;
        if (!now.ran) throw new Error("an interceptor has answered in the handler's place");
        return values.slice(-1);
      }),
    );
  };
  return { handle: () => defer(handle) };
}
