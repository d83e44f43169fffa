import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from '../base/progress.ts';
import { type LoggedCommand, lastLines, runToLog } from '../base/run-logged.ts';
import type { Context } from '../context.ts';
import { npmEnvironment } from '../install/npm.ts';
import { manifestOf, type Repository } from '../packages/repositories.ts';
import { type Counted, countJest, type Failure } from './jest-report.ts';

/** Results of one repository, with the logs that hold the whole output. */
export interface RepositoryResult extends Counted {
  repository: string;
  logs: string[];
}

export interface TestSuite extends Repository {
  /** npm scripts that are one check each. */
  checks: readonly string[];
  /** The npm script that runs jest. */
  jest: string;
}

/** Runs a repository's checks and its tests; a check counts as one passed or failed test. */
export async function testRepository(
  context: Context,
  suite: TestSuite,
  progress: Progress,
  environment: Record<string, string>,
): Promise<RepositoryResult> {
  const result: RepositoryResult = { repository: suite.name, passed: 0, failed: 0, failures: [], logs: [] };
  const scripts = manifestOf(suite).scripts ?? {};
  const fail = (failure: Failure) => {
    result.failed += 1;
    result.failures.push(failure);
  };
  const command = (script: string, more: readonly string[] = []): LoggedCommand => {
    const log = join(context.paths.logs, `test-${suite.name}-${script.replace(/\W/g, '-')}.log`);
    result.logs.push(log);
    return {
      file: 'npm',
      args: ['run', script, ...(more.length > 0 ? ['--', ...more] : [])],
      cwd: suite.directory,
      env: { ...npmEnvironment(), ...environment, CI: 'true', FORCE_COLOR: '0' },
      log,
    };
  };
  for (const check of suite.checks) {
    if (scripts[check] === undefined) continue;
    await progress.step(`${suite.name}: ${check}`, async (step) => {
      const run = command(check);
      const exitCode = await runToLog(run);
      if (exitCode === 0) {
        result.passed += 1;
        return;
      }
      fail({ name: check, detail: `${lastLines(run.log, 14).join('\n')}\nThe whole output: ${run.log}` });
      step.failed('failed');
    });
  }
  await progress.step(`${suite.name}: ${suite.jest}`, async (step) => {
    if (scripts[suite.jest] === undefined) {
      fail({ name: suite.jest, detail: `package.json has no script "${suite.jest}"` });
      step.failed('there is none');
      return;
    }
    const report = join(context.paths.logs, `test-${suite.name}.json`);
    rmSync(report, { force: true });
    const run = command(suite.jest, ['--json', `--outputFile=${report}`]);
    const counted = countJest(report, await runToLog(run));
    result.passed += counted.passed;
    for (const failure of counted.failures) {
      fail({ name: failure.name, detail: `${failure.detail}\nThe whole output: ${run.log}` });
    }
    if (counted.failed > 0) step.failed(`${counted.passed} passed, ${counted.failed} failed`);
    else step.result(`${counted.passed} passed`);
  });
  return result;
}
