import { Command, InvalidArgumentError } from 'commander';
import { say } from '../base/say.ts';
import { audit } from './audit.ts';
import { explainOrder } from './explain.ts';
import { explanationText, reportText } from './report.ts';
import type { BranchPorts } from './schemas.ts';
import { type Sources, sourcesOf } from './sources.ts';

interface AuditContext {
  /** URL of the database server with all rights. */
  mysqlRootUrl(database?: string): string;
  ports: BranchPorts & { redis: number; kafka: number };
}

interface Options {
  settle: number;
  order?: string;
  json?: boolean;
  databasesOnly?: boolean;
}

/** `eshop audit`: exits with 1 when a guarantee is broken. */
export function auditCommand(context: AuditContext, fixed?: Sources): Command {
  return new Command('audit')
    .description('check the books of all databases, of the flash sales and of the queue: I1 to I9')
    .option(
      '--settle <seconds>',
      'wait while running orders go on finishing, so long for the next one; what runs even then breaks I3 (0: judge none)',
      seconds,
      10,
    )
    .option('--order <id>', 'explain one order instead')
    .option('--databases-only', 'ask neither Redis nor Kafka: I9 and most of I2 and I6 are left out')
    .option('--json', 'print the whole report as JSON')
    .addHelpText('after', '\nReads all databases at one instant; orders may go on meanwhile. Exit code 1: a violation.')
    .action(async ({ settle, order, json, databasesOnly }: Options) => {
      const url = context.mysqlRootUrl();
      const { schemas, ...others } = fixed ?? sourcesOf(context.ports);
      if (order !== undefined) {
        const explanation = await explainOrder(url, order, schemas);
        if (!explanation) throw new Error(`nobody knows an order ${order}`);
        console.log(json ? JSON.stringify(explanation, null, 2) : explanationText(explanation));
        if (explanation.violations.length > 0) process.exitCode = 1;
        return;
      }
      const report = await audit(url, { schemas, ...(databasesOnly ? {} : others), settleSeconds: settle, say });
      console.log(json ? JSON.stringify(report, null, 2) : reportText(report));
      if (!report.holds) process.exitCode = 1;
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 3600) throw new InvalidArgumentError('a number from 0 to 3600.');
  return value;
}
