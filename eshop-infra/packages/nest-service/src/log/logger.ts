import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import type { ServiceConfig } from '../config/index.js';
import { requestContext } from '../context/index.js';
import { serializeError } from './error-serializer.js';

const SECRET_KEYS = ['password', 'secret', 'token', 'authorization', 'cookie', 'apiKey'];

/** The loggers of one service, writing to the same place. */
export interface Loggers {
  /** For everything people write; adds the request's ids and hides secrets. */
  readonly log: Pino;
  /** For the one line per request, whose fields are known; does neither, which keeps it cheap. */
  readonly requests: Pino;
  /** Writes what is buffered. */
  flush(): void;
}

export const LOGGERS = Symbol.for('@eshop/nest-service:loggers');

/** JSON lines on standard output. Lines are collected for a moment: a write per line costs more than the line. */
export function createLoggers(config: ServiceConfig, stream?: DestinationStream): Loggers {
  const buffered = stream ? undefined : pino.destination({ sync: false, minLength: 12_288, periodicFlush: 100 });
  const destination = stream ?? (buffered as DestinationStream);
  const options = {
    level: config.log.level,
    base: { service: config.app.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: serializeError },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return {
    log: pino(
      {
        ...options,
        mixin: ids,
        redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '***' },
      },
      destination,
    ),
    requests: pino(options, destination),
    flush: () => {
      try {
        buffered?.flushSync();
      } catch {
        // Standard output is gone or not ready; there is nobody left to tell.
      }
    },
  };
}

function ids(): object {
  const context = requestContext();
  return context ? { requestID: context.requestID, traceID: context.traceID, gid: context.gid } : {};
}
