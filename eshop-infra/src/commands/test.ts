import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import mysql from 'mysql2/promise';
import { forgetInterrupt, throwIfInterrupted } from '../base/interrupt.ts';
import type { Progress } from '../base/progress.ts';
import { type Context, createContext } from '../context.ts';
import { seed } from '../demo/seed.ts';
import { installChromium } from '../install/chromium.ts';
import { buildServices, publishAll } from '../packages/publish-all.ts';
import { infraRepository, packageRounds, serviceRepositories } from '../packages/repositories.ts';
import { serviceParts, stackParts } from '../parts/all.ts';
import { askRedis } from '../parts/redis.ts';
import { startParts } from '../parts/start-parts.ts';
import { type RepositoryResult, type TestSuite, testRepository } from '../testing/test-repository.ts';
import { type Commands, lockInstance } from './command-context.ts';
import { removeState, stopSystem } from './down.ts';
import { testEnvironment } from './env.ts';

const SYSTEM_TESTS = 'e2e';
const CHECKS = ['lint', 'typecheck'];

function suitesOf(context: Context): TestSuite[] {
  const infra = infraRepository(context);
  const suites: TestSuite[] = [...packageRounds(context).flat(), ...serviceRepositories(context), infra].map(
    (repository) => ({ ...repository, checks: CHECKS, jest: 'test' }),
  );
  if (existsSync(join(infra.directory, 'e2e'))) {
    suites.push({ name: SYSTEM_TESTS, directory: infra.directory, checks: [], jest: 'test:e2e' });
  }
  return suites;
}

function report(progress: Progress, results: readonly RepositoryResult[]): void {
  const failures = results.flatMap((result) =>
    result.failures.map((failure) => ({ ...failure, in: result.repository })),
  );
  if (failures.length > 0) progress.title('\nFailures');
  for (const { in: repository, name, detail } of failures) {
    progress.say(`\n✗ ${repository}: ${name}`);
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
  await startParts(context, serviceParts(context), progress);
  await progress.step('example data', () => seed(context));
}

/** Runs the suites one after the other; each one's result is added to `results`. */
async function runSuites(
  context: Context,
  suites: readonly TestSuite[],
  progress: Progress,
  results: RepositoryResult[],
): Promise<void> {
  const environment = testEnvironment(context);
  for (const suite of suites) {
    throwIfInterrupted();
    if (suite.name === SYSTEM_TESTS) await startForSystemTests(context, progress);
    results.push(await testRepository(context, suite, progress, environment));
  }
}

/** Fresh data, the whole system when it is needed, the suites; what was started is stopped again, also after Ctrl-C. */
async function runTests(
  context: Context,
  chosen: readonly TestSuite[],
  progress: Progress,
  keep: boolean,
): Promise<void> {
  const results: RepositoryResult[] = [];
  try {
    await stopSystem(context, progress);
    removeState(context);
    progress.title('Servers');
    await startParts(context, stackParts, progress);
    progress.title('Packages and services');
    await publishAll(context, progress);
    const names = chosen.map((suite) => suite.name);
    await buildServices(context, progress, names.includes(SYSTEM_TESTS) ? undefined : names);
    progress.title('Tests');
    await runSuites(context, chosen, progress, results);
  } catch (error) {
    throwIfInterrupted();
    const detail = error instanceof Error ? error.message : String(error);
    results.push({ repository: 'eshop test', passed: 0, failed: 1, failures: [{ name: 'set-up', detail }], logs: [] });
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
    .description('run the tests of every repository, then the system tests, on an instance of its own with fresh data')
    .argument('[suite...]', 'only these: proto, nest-service, nest-dtm, a service, infra, e2e')
    .option('--keep', 'leave the instance running afterwards')
    .action(async (names: string[], options: { keep?: boolean }) => {
      // never the instance that somebody works with: a test run removes all data of its own
      const given = commands.context().instance;
      const context = createContext({ instance: given === 'default' ? 'test' : `${given}-test` });
      const suites = suitesOf(context);
      const unknown = names.find((name) => !suites.some((suite) => suite.name === name));
      if (unknown)
        throw new Error(`there is no suite "${unknown}"; there are: ${suites.map((one) => one.name).join(', ')}`);
      const chosen = names.length > 0 ? suites.filter((suite) => names.includes(suite.name)) : suites;
      const held = await lockInstance(context, 'test');
      try {
        await runTests(context, chosen, commands.progress, options.keep === true);
      } finally {
        await held.release();
      }
    });
}
