import { writeFileSync } from 'node:fs';
import { audit } from '../audit/audit.ts';
import { reportText } from '../audit/report.ts';
import { sourcesOf } from '../audit/sources.ts';
import { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { runDemo } from '../demo/demo.ts';

/** Orders of the specs that still run may take so long. */
const SETTLE_SECONDS = 60;

/** A check of the running system; its lines go to the log. */
type SystemCheck = (context: Context, log: string) => Promise<void>;

async function demo(context: Context, log: string): Promise<void> {
  let lines = '';
  const toLog = new Progress({
    write(text) {
      lines += text;
    },
  });
  try {
    await runDemo(context, toLog);
  } finally {
    writeFileSync(log, lines);
  }
}

async function books(context: Context, log: string): Promise<void> {
  const report = await audit(context.mysqlRootUrl(), { ...sourcesOf(context.ports), settleSeconds: SETTLE_SECONDS });
  writeFileSync(log, reportText(report));
  if (report.holds) return;
  const violations = report.violations.map((one) => JSON.stringify(one));
  throw new Error(`${violations.join('\n')}\nThe whole report: ${log}`);
}

/** What `eshop demo` and `eshop audit` do, each as one test of the system. */
export const systemChecks: Readonly<Record<string, SystemCheck>> = { demo, audit: books };
