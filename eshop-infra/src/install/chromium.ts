import type { Step } from '../base/progress.ts';
import { which } from '../base/which.ts';
import { aptInstall } from './apt.ts';

/** The browser that the system tests open Swagger pages with; undefined when there is none. */
export function chromium(): string | undefined {
  return which('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
}

/** Installs the browser where there is none. */
export async function installChromium(logs: string, step: Step): Promise<void> {
  if (chromium()) return step.result('up to date');
  await aptInstall([{ name: 'chromium' }], logs, step);
}
