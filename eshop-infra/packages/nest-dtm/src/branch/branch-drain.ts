import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import type { DtmModuleOptions } from '../dtm-options.js';
import { DTM_OPTIONS } from '../tokens.js';

/**
 * Lets branch calls that run finish before the application closes its listeners and its connections. A call that comes
 * meanwhile is told to come again.
 */
@Injectable()
export class BranchDrain implements BeforeApplicationShutdown {
  readonly #logger = new Logger('Dtm');
  readonly #limitMs: number;
  #running = 0;
  #closing = false;
  #empty: (() => void) | undefined;

  constructor(@Inject(DTM_OPTIONS) { shutdownTimeoutMs = 10_000 }: DtmModuleOptions) {
    this.#limitMs = shutdownTimeoutMs;
  }

  /** No call is to begin any more. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Runs a call that the shutdown is to wait for. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await call();
    } finally {
      if (--this.#running === 0) this.#empty?.();
    }
  }

  /**
   * Waits for the calls that run, at most `shutdownTimeoutMs`. Their replies leave after that: Nest's gRPC server needs
   * `gracefulShutdown: true` to let them.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.#closing = true;
    if (this.#running === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#empty = resolve;
    const timer = setTimeout(() => {
      this.#logger.warn(`${this.#running} branch calls still ran after ${this.#limitMs} ms; DTM will call them again`);
      resolve();
    }, this.#limitMs);
    await promise;
    clearTimeout(timer);
  }
}
