import { Injectable } from '@nestjs/common';

/** Something a service needs. */
export interface ReadinessCheck {
  readonly name: string;
  /** false = its failure is shown, but does not keep requests away from this instance. Default: true. */
  readonly required?: boolean;
  /** Resolves when it works; rejects with the reason when it does not. */
  check(): Promise<unknown>;
}

export interface ReadinessReport {
  readonly ready: boolean;
  readonly checks: Readonly<
    Record<string, { readonly status: 'up' } | { readonly status: 'down'; readonly reason: string }>
  >;
}

const TIMEOUT_MS = 2_000;
const FRESH_MS = 500;

/** Whether this instance should get requests: all required checks pass and it is not shutting down. */
@Injectable()
export class Readiness {
  private readonly registered: ReadinessCheck[] = [];
  private draining = false;
  private latest?: { at: number; report: Promise<ReadinessReport> };

  register(check: ReadinessCheck): void {
    this.registered.push(check);
  }

  /** From now on not ready, whatever the checks say. */
  drain(): void {
    this.draining = true;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Checks run at most twice a second, however often this is asked. */
  async report(): Promise<ReadinessReport> {
    if (this.draining) return { ready: false, checks: { shutdown: { status: 'down', reason: 'shutting down' } } };
    const now = Date.now();
    if (!this.latest || now - this.latest.at > FRESH_MS) this.latest = { at: now, report: this.run() };
    return this.latest.report;
  }

  private async run(): Promise<ReadinessReport> {
    const results = await Promise.all(
      this.registered.map(async ({ name, check, required = true }, index) => {
        try {
          await inTime(() => check.call(this.registered[index]));
          return [name, { status: 'up' as const }, true] as const;
        } catch (error) {
          return [name, { status: 'down' as const, reason: reasonOf(error) }, !required] as const;
        }
      }),
    );
    const checks = Object.fromEntries(results.map(([name, result]) => [name, result]));
    return { ready: results.every(([, , passes]) => passes), checks };
  }
}

/** The code or the kind of an error; its text may name hosts and users. */
function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name ?? 'error');
}

async function inTime(work: () => Promise<unknown>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(Object.assign(new Error('timeout'), { code: 'TIMEOUT' })), TIMEOUT_MS);
  try {
    await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
  }
}
