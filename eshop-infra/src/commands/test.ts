import { Command } from 'commander';
import mysql from 'mysql2/promise';
import { forgetInterrupt, throwIfInterrupted } from '../base/interrupt.ts';
import type { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { createContext } from '../create-context.ts';
import { seed } from '../demo/seed.ts';
import { installChromium } from '../install/chromium.ts';
import { publishAll } from '../packages/publish-all.ts';
import { infraRepository, packageRounds, serviceRepositories } from '../packages/repositories.ts';
import { stackParts } from '../parts/all.ts';
import { askRedis } from '../parts/redis.ts';
import { startParts } from '../parts/start-parts.ts';
import { startShop } from '../parts/start-shop.ts';
import type { StackName } from '../stacks/stack.ts';
import {
  type RepositorySuite,
  type SuiteResult,
  type TestRun,
  testAlone,
  testSystem,
  testTogether,
} from '../testing/test-repository.ts';
import { type Commands, lockInstance } from './command-context.ts';
import { beginAnew, stopSystem } from './down.ts';
import { testEnvironment } from './env.ts';
import { stackOption } from './up.ts';

/** Tests of what the repositories are together: of their files, and of the running system. */
const TOGETHER = 'together';
const SYSTEM_TESTS = 'e2e';

/**
 * Containers take part in the system tests only: the repositories' own specs run on this machine and are called there by DTM,
 * which cannot reach it from a container. So `test` is native unless told otherwise, also where an engine runs.
 */
const DEFAULT_STACK: StackName = 'native';

interface TestOptions {
  stack: StackName;
  keep: boolean;
  /** Of the system tests only the specs whose path has one of these in it. */
  only?: readonly string[];
}

function repositorySuites(context: Context): RepositorySuite[] {
  const { infra } = context.paths;
  const packages = packageRounds(context)
    .flat()
    .map((one) => ({ ...one, home: one.directory.startsWith(`${infra}/`) ? infra : one.directory }));
  const services = serviceRepositories(context).map((one) => ({ ...one, home: one.directory, service: one.name }));
  return [...packages, ...services, { ...infraRepository(context), home: infra }];
}

function report(progress: Progress, results: readonly SuiteResult[]): void {
  const failures = results.flatMap((result) => result.failures.map((failure) => ({ ...failure, in: result.suite })));
  if (failures.length > 0) progress.title('\nFailures');
  for (const { in: suite, name, detail } of failures) {
    progress.say(`\n✗ ${suite}: ${name}`);
    progress.say(
      detail
        .split('\n')
        .map((line) => `    ${line}`)
        .join('\n'),
    );
  }
  progress.say();
}

/**
 * The system tests audit all books, and the specs of services have left transactions of their throw-away databases behind:
 * so the system is started on empty DTM servers.
 */
async function startForSystemTests(context: Context, progress: Progress): Promise<void> {
  await progress.step('Chromium for the Swagger pages', (step) => installChromium(context.paths.logs, step));
  progress.title('Starting the system');
  const connection = await mysql.createConnection(context.mysqlRootUrl('dtm'));
  try {
    for (const table of ['trans_global', 'trans_branch_op']) await connection.query(`TRUNCATE TABLE ${table}`);
  } finally {
    await connection.end();
  }
  const emptied = await askRedis(context.ports.redis, 'FLUSHALL');
  if (emptied !== '+OK') throw new Error(`Redis answers ${emptied} to FLUSHALL`);
  await startShop(context, progress);
  await progress.step('example data', () => seed(context));
}

/** Runs the suites that are chosen, one after the other; each one's result is added to `results`. */
async function runSuites(
  run: TestRun,
  chosen: (name: string) => boolean,
  specs: readonly string[],
  results: SuiteResult[],
): Promise<void> {
  const { context, progress } = run;
  for (const suite of repositorySuites(context)) {
    throwIfInterrupted();
    if (chosen(suite.name)) results.push(await testAlone(run, suite));
  }
  const infra = infraRepository(context);
  if (chosen(TOGETHER)) results.push(await testTogether(run, { ...infra, name: TOGETHER }, 'test:together'));
  if (chosen(SYSTEM_TESTS)) {
    await startForSystemTests(context, progress);
    results.push(await testSystem(run, { ...infra, name: SYSTEM_TESTS }, 'test:e2e', specs));
  }
}

/** Fresh data, the whole system when it is needed, the suites; what was started is stopped again, also after Ctrl-C. */
async function runTests(
  context: Context,
  chosen: (name: string) => boolean,
  progress: Progress,
  { keep, stack, only = [] }: TestOptions,
): Promise<void> {
  const results: SuiteResult[] = [];
  try {
    await beginAnew(context, stack, progress);
    progress.title('Servers');
    await startParts(context, stackParts, progress);
    progress.title('Packages and services');
    await publishAll(context, progress);
    if (chosen(SYSTEM_TESTS)) await context.stack.build(context, progress);
    progress.title('Tests');
    await runSuites({ context, progress, environment: testEnvironment(context) }, chosen, only, results);
  } catch (error) {
    throwIfInterrupted();
    const detail = error instanceof Error ? error.message : String(error);
    results.push({ suite: 'eshop test', passed: 0, failed: 1, failures: [{ name: 'set-up', detail }] });
  } finally {
    const interrupted = forgetInterrupt();
    if (!keep || interrupted) {
      progress.title('Stopping');
      await stopSystem(context, progress);
    }
  }
  report(progress, results);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

export function testCommand(commands: Commands): Command {
  return new Command('test')
    .description(
      'run the tests of every repository, each in a copy with nothing beside it, then the system tests, with fresh data',
    )
    .argument('[suite...]', 'only these: proto, nest-service, nest-dtm, a service, infra, together, e2e')
    .addOption(stackOption('docker: the system tests (e2e) on the system in containers').default(DEFAULT_STACK))
    .option('--only <spec...>', 'of the system tests only specs with one of these in their path: orders flash-sale')
    .option('--keep', 'leave the instance running afterwards', false)
    .action(async (names: string[], options: TestOptions) => {
      // never the instance that somebody works with: a test run removes all data of its own
      const given = commands.context().instance;
      const own = given === 'default' ? 'test' : `${given}-test`;
      const context = createContext({ instance: options.stack === 'native' ? own : `${own}-${options.stack}` });
      const others = [...repositorySuites(context).map(({ name }) => name), TOGETHER];
      const suites = [...(options.stack === 'native' && !options.only ? others : []), SYSTEM_TESTS];
      const unknown = names.find((name) => !suites.includes(name));
      if (unknown) throw new Error(`there is no suite "${unknown}" to run so; there are: ${suites.join(', ')}`);
      const chosen = (name: string) => suites.includes(name) && (names.length === 0 || names.includes(name));
      const held = await lockInstance(context, 'test');
      try {
        await runTests(context, chosen, commands.progress, options);
      } finally {
        await held.release();
      }
    });
}
