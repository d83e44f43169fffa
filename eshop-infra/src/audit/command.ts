import { Command, InvalidArgumentError } from 'commander';
import { audit } from './audit.ts';
import { explainOrder } from './explain.ts';
import { explanationText, reportText } from './report.ts';
import { type Schemas, schemasOf } from './schemas.ts';

interface AuditContext {
  /** URL of the database server with all rights. */
  mysqlRootUrl(database?: string): string;
  ports: { orderGrpc: number };
}

interface Options {
  settle: number;
  order?: string;
  json?: boolean;
}

/** `eshop audit`: exits with 1 when a guarantee is broken. */
export function auditCommand(context: AuditContext, fixed?: Schemas): Command {
  return new Command('audit')
    .description('check the books of all databases: I1, I3, I4, I5, I7, I8')
    .option(
      '--settle <seconds>',
      'wait so long for running orders; what runs even then breaks I3 (0: judge none)',
      seconds,
      10,
    )
    .option('--order <id>', 'explain one order instead')
    .option('--json', 'print the whole report as JSON')
    .addHelpText('after', '\nReads all databases at one instant; orders may go on meanwhile. Exit code 1: a violation.')
    .action(async ({ settle, order, json }: Options) => {
      const url = context.mysqlRootUrl();
      const schemas = fixed ?? schemasOf(context.ports);
      if (order !== undefined) {
        const explanation = await explainOrder(url, order, schemas);
        if (!explanation) throw new Error(`nobody knows an order ${order}`);
        console.log(json ? JSON.stringify(explanation, null, 2) : explanationText(explanation));
        if (explanation.violations.length > 0) process.exitCode = 1;
        return;
      }
      const report = await audit(url, { schemas, settleSeconds: settle });
      console.log(json ? JSON.stringify(report, null, 2) : reportText(report));
      if (!report.holds) process.exitCode = 1;
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 3600) throw new InvalidArgumentError('a number from 0 to 3600.');
  return value;
}
