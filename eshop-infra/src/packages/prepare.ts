import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from '../base/lock.ts';
import type { Step } from '../base/progress.ts';
import { runLogged } from '../base/run-logged.ts';
import type { Context } from '../context.ts';
import { npmArguments, npmEnvironment } from '../install/npm.ts';
import { contentHash } from './content-hash.ts';
import { type LockFile, packageName } from './lock-file.ts';
import type { RegistryClient } from './registry-client.ts';
import { manifestOf, type Repository } from './repositories.ts';
import { treeHash } from './source-hash.ts';
import { readStamp, writeStamp } from './stamp.ts';

/** A lock file that cannot be installed from; the message says what to do. */
export class LockFileUnusable extends Error {}

/** What an installation is made of: the lock file, and the contents of our own packages in it. */
export async function installationHash(repository: Repository, registry: RegistryClient): Promise<string> {
  const file = join(repository.directory, 'package-lock.json');
  if (!existsSync(file)) {
    throw new LockFileUnusable(
      `${repository.name} has no package-lock.json; make it with: eshop lock ${repository.name}`,
    );
  }
  const bytes = readFileSync(file);
  const hash = createHash('sha256').update(bytes).update(process.version);
  for (const [path, { version, link }] of Object.entries((JSON.parse(bytes.toString()) as LockFile).packages)) {
    const name = packageName(path);
    if (!name.startsWith('@eshop/') || link || version === undefined || path === '') continue;
    const published = await registry.find(name, version);
    if (!published) {
      throw new LockFileUnusable(
        `${repository.name}'s package-lock.json wants ${name}@${version}, which the registry does not have; ` +
          `if the package has a new version, run: eshop lock ${repository.name}`,
      );
    }
    hash.update(`${name}@${version} ${contentHash(await registry.contentsOf(published))}\n`);
  }
  return hash.digest('hex');
}

/**
 * Brings a repository's node_modules and dist up to date, each only when what it is made of has changed: instances of one
 * checkout share these directories, and services that run must not lose theirs. Returns the hash of the built files.
 */
export async function prepareRepository(
  context: Context,
  repository: Repository,
  registry: RegistryClient,
  step: Step,
): Promise<string> {
  const { directory, name } = repository;
  const held = await lock(`repository ${directory}`, {
    what: `the repository ${name}`,
    doing: `preparing ${name}`,
    waitMs: 600_000,
    onWait: (holder) => step.note(`waiting for ${holder?.doing ?? 'another command'}`),
  });
  try {
    const installed = await installationHash(repository, registry);
    let stamp = readStamp(directory);
    const done: string[] = [];
    if (stamp.installed !== installed) {
      step.note('npm ci');
      await runLogged({
        file: 'npm',
        args: ['ci', ...npmArguments(context)],
        cwd: directory,
        env: npmEnvironment(),
        log: join(context.paths.logs, `install-${name}.log`),
        advice: `Is the lock file out of date? "eshop lock ${name}" refreshes it.`,
      });
      stamp = { installed };
      writeStamp(directory, stamp);
      done.push('installed');
    }
    if (manifestOf(repository).scripts?.build === undefined) return '';
    const built = createHash('sha256').update(installed).update(treeHash(directory)).digest('hex');
    const dist = join(directory, 'dist');
    const output = () => (existsSync(dist) ? treeHash(dist, { all: true }) : '');
    if (stamp.built !== built || stamp.output !== output()) {
      step.note('npm run build');
      await runLogged({
        file: 'npm',
        args: ['run', 'build'],
        cwd: directory,
        env: npmEnvironment(),
        log: join(context.paths.logs, `build-${name}.log`),
        advice: `Mend the sources in ${directory}.`,
      });
      stamp = { installed, built, output: output() };
      writeStamp(directory, stamp);
      done.push('built');
    }
    step.result(done.length > 0 ? done.join(', ') : 'up to date');
    return stamp.output ?? '';
  } finally {
    await held.release();
  }
}
