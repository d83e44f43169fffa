import { Command, InvalidArgumentError } from 'commander';
import { schemasOf } from '../audit/schemas.ts';
import type { MeasuredProcess } from './cpu.ts';
import { loadList } from './list.ts';
import { loopbackOrigin } from './loopback.ts';
import { listText, submitText } from './report.ts';
import { loadSubmit } from './submit.ts';

interface LoadContext {
  gatewayUrl: string;
  /** URL of the database server with all rights. */
  mysqlRootUrl(database?: string): string;
  ports: { orderGrpc: number };
  processes(): MeasuredProcess[];
}

interface CommonOptions {
  clients: number;
  seconds: number;
  count?: number;
  url?: string;
  json?: boolean;
}

interface SubmitCommandOptions extends CommonOptions {
  products: number;
  stockPerProduct: number;
  user: number;
  units: number;
  price: number;
  wait?: boolean;
  tail: number;
  audit: boolean;
}

/** `eshop load …`: bounded load on this machine. */
export function loadCommand(context: LoadContext): Command {
  return new Command('load')
    .description('measure the running system under load, from this machine')
    .addCommand(submitCommand(context))
    .addCommand(listCommand(context));
}

function submitCommand(context: LoadContext): Command {
  return bounded(new Command('submit'))
    .description('place orders for new products, measure how fast they finish, then audit')
    .option('--products <n>', 'products to order, each order for one of them at random', whole(1, 100_000), 1000)
    .option(
      '--stock-per-product <n>',
      'units each has; fewer than ordered: the rest is cancelled',
      whole(0, 4e9),
      1_000_000,
    )
    .option('--user <id>', 'the user who orders', whole(1, Number.MAX_SAFE_INTEGER), 1)
    .option('--units <n>', 'units per order', whole(1, 1_000_000), 1)
    .option('--price <cents>', 'unit price', whole(1, 100_000), 100)
    .option('--wait', 'let each order be answered only when it has ended (waitResult)')
    .option('--tail <n>', 'seconds to wait for orders that run on after the load', whole(5, 600), 60)
    .option('--no-audit', 'do not audit afterwards')
    .action(async ({ url, json, wait, ...options }: SubmitCommandOptions) => {
      const gatewayUrl = loopbackOrigin(url ?? context.gatewayUrl);
      const { ports } = context;
      const mysqlUrl = context.mysqlRootUrl();
      const target = { gatewayUrl, mysqlUrl, processes: context.processes(), schemas: schemasOf(ports) };
      const say = (text: string) => console.error(`eshop: ${text}`);
      const report = await loadSubmit(target, { ...options, waitResult: wait ?? false }, say);
      console.log(json ? JSON.stringify(report, null, 2) : submitText(report));
      if (report.audit?.holds === false || report.accepted === 0) process.exitCode = 1;
    });
}

function listCommand(context: LoadContext): Command {
  return bounded(new Command('list'))
    .description('read the lists of the gateway')
    .option('--limit <n>', 'rows per list', whole(1, 1000), 5)
    .action(async ({ url, json, ...options }: CommonOptions & { limit: number }) => {
      const gatewayUrl = loopbackOrigin(url ?? context.gatewayUrl);
      const report = await loadList({ gatewayUrl, processes: context.processes() }, options);
      console.log(json ? JSON.stringify(report, null, 2) : listText(report));
      if (report.answered === 0) process.exitCode = 1;
    });
}

function bounded(command: Command): Command {
  return command
    .option('--clients <n>', 'clients that each send one request after the other', whole(1, 1000), 32)
    .option('--seconds <n>', 'how long to send', whole(1, 600), 20)
    .option('--count <n>', 'send at most so many requests', whole(1, 10_000_000))
    .option('--url <url>', "a gateway on this machine (default: this instance's)")
    .option('--json', 'print the whole report as JSON');
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}.`);
  };
}
