import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { throwIfInterrupted } from '../base/interrupt.ts';
import type { Progress } from '../base/progress.ts';
import { type LoggedCommand, lastLines, runToLog } from '../base/run-logged.ts';
import type { Context } from '../context.ts';
import { npmArguments, npmEnvironment } from '../install/npm.ts';
import { manifestOf, type Repository } from '../packages/repositories.ts';
import type { ServiceName } from '../parts/service-names.ts';
import { outsideReferences } from './alone/outside-references.ts';
import { copyRepository, type RepositoryCopy } from './alone/repository-copy.ts';
import { startAlone } from './alone/start-alone.ts';
import { type Counted, countJest, type Failure } from './jest-report.ts';
import { systemChecks } from './system-checks.ts';

/** Results of one suite. */
export interface SuiteResult extends Counted {
  suite: string;
}

/** Tests of a repository, or of a package in one, which run in a copy of the repository with nothing beside it. */
export interface RepositorySuite extends Repository {
  /** The git repository that the directory is of. */
  home: string;
  /** Set for a service: it is started, too. */
  service?: ServiceName;
}

/** What a suite needs from those who run it. */
export interface TestRun {
  context: Context;
  progress: Progress;
  /** Tells the tests where the servers are. */
  environment: Record<string, string>;
}

/** A suite that leaves a server open never ends by itself; the longest one takes a third of this. */
const LIMIT_MS = 30 * 60_000;

/** Carries out checks, each one passed or failed test, and collects what comes of them. */
class Checks {
  readonly result: SuiteResult;
  private readonly run: TestRun;

  constructor(run: TestRun, suite: string) {
    this.run = run;
    this.result = { suite, passed: 0, failed: 0, failures: [] };
  }

  private command(directory: string, name: string, args: readonly string[]): LoggedCommand {
    const { context, environment } = this.run;
    return {
      file: 'npm',
      args,
      cwd: directory,
      env: { ...npmEnvironment(), ...environment, CI: 'true', FORCE_COLOR: '0' },
      limitMs: LIMIT_MS,
      log: join(context.paths.logs, `test-${this.result.suite}-${name.replace(/\W/g, '-')}.log`),
    };
  }

  private fail(failure: Failure): void {
    this.result.failed += 1;
    this.result.failures.push(failure);
  }

  /** Returns whether it passed; work that throws has failed. */
  async check(name: string, work: () => Promise<void>): Promise<boolean> {
    return this.run.progress.step(`${this.result.suite}: ${name}`, async (step) => {
      try {
        await work();
        this.result.passed += 1;
        return true;
      } catch (error) {
        this.fail({ name, detail: error instanceof Error ? error.message : String(error) });
        step.failed('failed');
        return false;
      }
    });
  }

  npm(directory: string, name: string, args: readonly string[]): Promise<boolean> {
    return this.check(name, async () => {
      const command = this.command(directory, name, args);
      if ((await runToLog(command)) === 0) return;
      throw new Error(`${lastLines(command.log, 14).join('\n')}\nThe whole output: ${command.log}`);
    });
  }

  /** Runs jest by an npm script; each of its tests counts. */
  async jest(directory: string, script: string, specs: readonly string[] = []): Promise<void> {
    const { suite } = this.result;
    await this.run.progress.step(`${suite}: ${script}`, async (step) => {
      const report = join(this.run.context.paths.logs, `test-${suite}.json`);
      rmSync(report, { force: true });
      const command = this.command(directory, script, [
        ...['run', script, '--', '--json', `--outputFile=${report}`],
        ...specs,
      ]);
      const counted = countJest(report, await runToLog(command));
      this.result.passed += counted.passed;
      for (const { name, detail } of counted.failures) {
        this.fail({ name, detail: `${detail}\nThe whole output: ${command.log}` });
      }
      if (counted.failed > 0) step.failed(`${counted.passed} passed, ${counted.failed} failed`);
      else step.result(`${counted.passed} passed`);
    });
  }
}

/** A package's tests of itself as it is installed, into applications with other versions of what it needs. */
const MATRIX = 'test:matrix';

/**
 * Shows that a repository stands alone: a copy of its files, with nothing beside it and the registry of the `@eshop`
 * packages, installs, builds, passes its checks and its tests, and, if it is a service, starts and answers.
 */
export async function testAlone(run: TestRun, suite: RepositorySuite): Promise<SuiteResult> {
  const checks = new Checks(run, suite.name);
  const copy: RepositoryCopy = copyRepository(suite.home);
  try {
    const directory = join(copy.directory, relative(suite.home, suite.directory));
    if (directory === copy.directory) {
      await checks.check('names no file of another repository', async () => {
        const found = outsideReferences(copy.directory, copy.files);
        if (found.length > 0) throw new Error(found.join('\n'));
      });
    }
    const made =
      (await checks.npm(directory, 'npm ci', ['ci', ...npmArguments(run.context)])) &&
      (await checks.npm(directory, 'build', ['run', 'build']));
    if (!made) return checks.result;
    for (const script of ['lint', 'typecheck']) await checks.npm(directory, script, ['run', script]);
    await checks.jest(directory, 'test');
    if (manifestOf(suite).scripts?.[MATRIX]) await checks.jest(directory, MATRIX);
    const { service } = suite;
    if (service) await checks.check('starts and answers', () => startAlone(run.context, service, directory));
    return checks.result;
  } finally {
    copy.remove();
  }
}

/** Runs tests of what the repositories are together, where they are. */
export async function testTogether(run: TestRun, repository: Repository, script: string): Promise<SuiteResult> {
  const checks = new Checks(run, repository.name);
  if (manifestOf(repository).scripts?.[script] === undefined) {
    throw new Error(`${repository.directory}/package.json has no script "${script}"`);
  }
  await checks.jest(repository.directory, script);
  return checks.result;
}

/** Runs the specs of the running system, all or those whose path has one of `specs` in it; then the demo and the audit. */
export async function testSystem(
  run: TestRun,
  { name, directory }: Repository,
  script: string,
  specs: readonly string[],
): Promise<SuiteResult> {
  const checks = new Checks(run, name);
  await checks.jest(directory, script, specs);
  for (const [title, check] of Object.entries(systemChecks)) {
    throwIfInterrupted();
    const log = join(run.context.paths.logs, `test-${name}-${title}.log`);
    await checks.check(title, () => check(run.context, log));
  }
  return checks.result;
}
