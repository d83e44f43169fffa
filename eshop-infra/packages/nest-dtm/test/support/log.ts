import type { INestApplication } from '@nestjs/common';

/** Collects what the application says from now on, by level. */
export function hear(app: Pick<INestApplication, 'useLogger'>): Record<'error' | 'warn', string[]> {
  const heard = { error: [] as string[], warn: [] as string[] };
  const nothing = (): void => undefined;
  app.useLogger({
    log: nothing,
    debug: nothing,
    error: (line: unknown) => heard.error.push(String(line)),
    warn: (line: unknown) => heard.warn.push(String(line)),
  });
  return heard;
}
