import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from '../base/progress.ts';
import { runLogged } from '../base/run-logged.ts';
import type { Context } from '../context.ts';
import { npmArguments, npmEnvironment } from '../install/npm.ts';
import { type LockFile, tidyLockFile, withoutOwnPackages } from './lock-file.ts';
import type { Repository } from './repositories.ts';

/** Lets npm bring the lock file up to date with package.json and the registry, and tidies it. */
export async function writeTidyLock(context: Context, repository: Repository, step: Step): Promise<void> {
  const file = join(repository.directory, 'package-lock.json');
  const before = readText(file);
  if (before !== '') writeFileSync(file, JSON.stringify(withoutOwnPackages(JSON.parse(before) as LockFile), null, 2));
  step.note('npm install --package-lock-only');
  await runLogged({
    file: 'npm',
    args: ['install', '--package-lock-only', '--ignore-scripts', '--prefer-online', ...npmArguments(context)],
    cwd: repository.directory,
    env: npmEnvironment(),
    log: join(context.paths.logs, `lock-${repository.name}.log`),
    advice: `Does package.json in ${repository.directory} name versions that exist? Are our packages published ("eshop publish")?`,
  });
  const after = `${JSON.stringify(tidyLockFile(JSON.parse(readFileSync(file, 'utf8')) as LockFile), null, 2)}\n`;
  writeFileSync(file, after);
  step.result(after === before ? 'unchanged' : 'refreshed');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
