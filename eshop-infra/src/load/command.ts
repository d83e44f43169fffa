import { join } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { BranchPorts } from '../audit/schemas.ts';
import { sourcesOf } from '../audit/sources.ts';
import { Progress } from '../base/progress.ts';
import { say } from '../base/say.ts';
import type { Paths } from '../context.ts';
import { buildK6, k6Binary } from '../install/k6.ts';
import type { MeasuredProcess } from './cpu.ts';
import { loadDtm } from './dtm.ts';
import { loadFlash } from './flash.ts';
import { HttpClient } from './http-client.ts';
import { type K6Script, k6Scripts, loadK6 } from './k6.ts';
import { loadList } from './list.ts';
import { loopbackOrigin } from './loopback.ts';
import type { LoadTarget, RunReport } from './orders-run.ts';
import { dtmText, flashText, k6Text, listText, submitText } from './report.ts';
import { loadSubmit } from './submit.ts';

interface LoadContext {
  gatewayUrl: string;
  /** URL of the database server with all rights. */
  mysqlRootUrl(database?: string): string;
  ports: BranchPorts & { redis: number; kafka: number; dtmMysqlHttp: number };
  processes(): Promise<MeasuredProcess[]>;
  paths: Paths;
}

interface CommonOptions {
  clients: number;
  seconds: number;
  count?: number;
  url?: string;
  json?: boolean;
}

interface OrdersCommandOptions extends CommonOptions {
  dtmSeconds: number;
  tail: number;
  audit: boolean;
}

interface SubmitCommandOptions extends OrdersCommandOptions {
  warmup: number;
  products: number;
  stockPerProduct: number;
  user: number;
  units: number;
  price: number;
  wait?: boolean;
}

interface FlashCommandOptions extends OrdersCommandOptions {
  units: number;
  user: number;
  price: number;
  soldOutSeconds: number;
}

interface K6CommandOptions {
  vus: number;
  duration?: number;
  iterations?: number;
  units: number;
  tail: number;
  audit: boolean;
  url?: string;
}

/** `eshop load …`: bounded load on this machine. */
export function loadCommand(context: LoadContext): Command {
  return new Command('load')
    .description('measure the running system under load, from this machine')
    .addCommand(submitCommand(context))
    .addCommand(queuedCommand(context))
    .addCommand(flashCommand(context))
    .addCommand(listCommand(context))
    .addCommand(dtmCommand(context))
    .addCommand(k6Command(context));
}

const dtmUrlOf = ({ ports }: LoadContext) => `http://127.0.0.1:${ports.dtmMysqlHttp}`;

async function targetOf(context: LoadContext, url: string | undefined): Promise<LoadTarget> {
  return {
    gatewayUrl: loopbackOrigin(url ?? context.gatewayUrl),
    mysqlUrl: context.mysqlRootUrl(),
    dtmUrl: dtmUrlOf(context),
    processes: await context.processes(),
    sources: sourcesOf(context.ports),
  };
}

/** Prints a report; a run that got nothing accepted, or after which the books are wrong, has failed. */
function conclude<Report extends Pick<RunReport, 'audit'>>(
  report: Report,
  accepted: number,
  text: (report: Report) => string,
  json: boolean | undefined,
): void {
  console.log(json ? JSON.stringify(report, null, 2) : text(report));
  if (report.audit?.holds === false || accepted === 0) process.exitCode = 1;
}

function submitCommand(context: LoadContext): Command {
  return goods(measured(bounded(new Command('submit'))))
    .description('place orders for new products, measure how fast they finish, then audit')
    .option('--wait', 'let each order be answered only when it has ended (waitResult)')
    .action(async ({ url, json, wait, ...options }: SubmitCommandOptions) => {
      const report = await loadSubmit(await targetOf(context, url), { ...options, waitResult: wait ?? false }, say);
      conclude(report, report.accepted, submitText, json);
    });
}

function queuedCommand(context: LoadContext): Command {
  return goods(measured(bounded(new Command('queued'))))
    .description('put orders for new products into the queue, measure how fast they finish, then audit')
    .action(async ({ url, json, ...options }: SubmitCommandOptions) => {
      const report = await loadSubmit(await targetOf(context, url), { ...options, queued: true }, say);
      conclude(report, report.accepted, submitText, json);
    });
}

function flashCommand(context: LoadContext): Command {
  return measured(bounded(new Command('flash')))
    .description('buy in the flash sale of a new product, then ask one that is sold out, then audit')
    .option(
      '--units <n>',
      'units of the sale; fewer than buyers: the rest is told that it is sold out',
      UNITS,
      1_000_000,
    )
    .option('--user <id>', 'the first buyer; each is somebody else', whole(1, Number.MAX_SAFE_INTEGER), 1)
    .option('--price <cents>', 'unit price', whole(1, 100_000), 100)
    .option('--sold-out-seconds <n>', 'how long to ask the sale that is sold out; 0 = not at all', whole(0, 600), 10)
    .action(async ({ url, json, ...options }: FlashCommandOptions) => {
      const report = await loadFlash(await targetOf(context, url), options, say);
      conclude(report, report.accepted, flashText, json);
    });
}

function k6Command(context: LoadContext): Command {
  return orders(new Command('k6'))
    .description('run a k6 script of eshop-infra/k6, building k6 when it is missing, then audit')
    .addArgument(new Argument('<script>').choices(k6Scripts))
    .option('--vus <n>', 'virtual users', whole(1, 20_000), 100)
    .option('--duration <seconds>', 'how long they go on (default 10, or as long as the iterations take)', duration)
    .option('--iterations <n>', 'stop after so many in all', whole(1, 10_000_000))
    .option(
      '--units <n>',
      'units that product 1 gets first (flashSale: in its sale; submitOrder: free)',
      UNITS,
      1_000_000,
    )
    .option('--url <url>', "a gateway on this machine (default: this instance's)")
    .action(async (script: K6Script, { url, ...options }: K6CommandOptions) => {
      const target = await targetOf(context, url);
      const { paths } = context;
      const binary =
        k6Binary(paths) ??
        (await new Progress(process.stderr).step('building k6 (some minutes, once a machine)', (step) =>
          buildK6(paths, step),
        ));
      const bounds = (options.duration ?? options.iterations) ? options : { ...options, duration: 10 };
      const files = { binary, directory: join(paths.infra, 'k6') };
      const report = await loadK6(target, { script, ...bounds }, files, say);
      conclude(report, report.passed, k6Text, false);
    });
}

function listCommand(context: LoadContext): Command {
  return bounded(new Command('list'))
    .description('read the lists of the gateway')
    .option('--limit <n>', 'rows per list', whole(1, 1000), 5)
    .action(async ({ url, json, ...options }: CommonOptions & { limit: number }) => {
      const gatewayUrl = loopbackOrigin(url ?? context.gatewayUrl);
      await assertAnswers(gatewayUrl);
      const report = await loadList({ gatewayUrl, processes: await context.processes() }, options);
      console.log(json ? JSON.stringify(report, null, 2) : listText(report));
      if (report.answered === 0) process.exitCode = 1;
    });
}

function dtmCommand(context: LoadContext): Command {
  return load(new Command('dtm'))
    .description('submit sagas that call nobody: what DTM on MariaDB can do here at most')
    .action(async ({ json, ...options }: Omit<CommonOptions, 'url'>) => {
      const dtmUrl = dtmUrlOf(context);
      await assertAnswers(dtmUrl);
      const report = await loadDtm({ dtmUrl, processes: await context.processes() }, options);
      console.log(json ? JSON.stringify(report, null, 2) : dtmText(report));
      if (report.finished === 0) process.exitCode = 1;
    });
}

/** Where nobody answers there is nothing to measure. @throws Error of the connection */
async function assertAnswers(url: string): Promise<void> {
  const client = new HttpClient(url, 1);
  try {
    await client.get('/');
  } finally {
    client.close();
  }
}

/** Options of loads whose orders end after their answer. */
function orders(command: Command): Command {
  return command
    .option('--tail <n>', 'seconds to wait after the load for the next order to finish', whole(1, 600), 30)
    .option('--no-audit', 'do not audit afterwards');
}

/** Options of loads that are held against what DTM can do. */
function measured(command: Command): Command {
  return orders(command).option(
    '--dtm-seconds <n>',
    'how long to measure DTM alone, half before the load and half after; 0 = not',
    whole(0, 600),
    10,
  );
}

function goods(command: Command): Command {
  return command
    .option('--warmup <n>', 'seconds to order before the measurement begins', whole(0, 600), 10)
    .option('--products <n>', 'products to order, each order for one of them at random', whole(1, 100_000), 1000)
    .option('--stock-per-product <n>', 'units each has; fewer than ordered: the rest is cancelled', UNITS, 1_000_000)
    .option('--user <id>', 'the user who orders', whole(1, Number.MAX_SAFE_INTEGER), 1)
    .option('--units <n>', 'units per order', whole(1, 1_000_000), 1)
    .option('--price <cents>', 'unit price', whole(1, 100_000), 100);
}

function bounded(command: Command): Command {
  return load(command).option('--url <url>', "a gateway on this machine (default: this instance's)");
}

function load(command: Command): Command {
  return command
    .option('--clients <n>', 'clients that each send one request after the other', whole(1, 1000), 32)
    .option('--seconds <n>', 'how long to send', whole(1, 600), 20)
    .option('--count <n>', 'send at most so many requests', whole(1, 10_000_000))
    .option('--json', 'print the whole report as JSON');
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}.`);
  };
}

/** What the contract takes as the units of a product. */
const UNITS = whole(0, 1_000_000_000);

/** `10` and k6's own `10s`. */
function duration(text: string): number {
  return whole(1, 600)(text.replace(/s$/, ''));
}
