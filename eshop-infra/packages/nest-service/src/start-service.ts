import type { Type } from '@nestjs/common';
import type { z } from 'zod';
import { ConfigError } from './config/index.js';
import { createService, type RunningService, type ServiceOptions } from './create-service.js';

/**
 * Starts a service and ties it to the process: exit code 1 and the reason when it cannot start; on SIGTERM or SIGINT
 * both listeners drain, everything is closed, exit code 0. A second signal ends it at once.
 */
export async function startService<S extends z.ZodObject>(
  appModule: Type,
  options: ServiceOptions<S>,
): Promise<RunningService<S>> {
  let service: RunningService<S>;
  try {
    service = await createService(appModule, options);
  } catch (error) {
    process.stderr.write(`${options.contract.name} cannot start: ${reasonOf(error)}\n`);
    process.exit(1);
  }
  const { log } = service.loggers;
  const stop = (signal: NodeJS.Signals) => {
    process.once('SIGTERM', () => process.exit(1));
    process.once('SIGINT', () => process.exit(1));
    log.info({ signal }, 'shutting down');
    service.close().then(
      (finished) => {
        if (!finished) log.warn('requests were cut off at the end of shutdown.drainMs');
        service.loggers.flush();
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ err: error }, 'shutdown failed');
        service.loggers.flush();
        process.exit(1);
      },
    );
  };
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      if (stopping) return;
      stopping = true;
      process.removeAllListeners('SIGTERM').removeAllListeners('SIGINT');
      stop(signal);
    });
  }
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    service.loggers.flush();
    process.exit(1);
  });
  return service;
}

function reasonOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
