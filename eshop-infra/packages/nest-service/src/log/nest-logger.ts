import type { LoggerService } from '@nestjs/common';
import type { Logger as Pino } from 'pino';

/** Lets Nest's `new Logger('X')` write pino lines; an object given as the message becomes the line's fields. */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: Pino) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest passes the context last, and for errors a stack before it. */
  private write(level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace', message: unknown, rest: unknown[]) {
    if (!this.pino.isLevelEnabled(level)) return;
    const context = rest.findLast((each) => typeof each === 'string' && !each.includes('\n'));
    const stack = rest.find((each) => typeof each === 'string' && each.includes('\n    at '));
    const err = message instanceof Error ? message : rest.find((each) => each instanceof Error);
    const fields = { context, ...(err ? { err } : undefined), ...(stack && !err ? { stack } : undefined) };
    const extra = rest.find((each) => typeof each === 'object' && each !== null && !(each instanceof Error));
    if (message instanceof Error) this.pino[level](fields, message.message);
    else if (typeof message === 'object' && message !== null) this.pino[level]({ ...fields, ...message });
    else this.pino[level]({ ...fields, ...(extra as object | undefined) }, String(message));
  }
}
