import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Step } from '../base/progress.ts';
import { runLogged } from '../base/run-logged.ts';
import type { Context } from '../context.ts';
import { npmEnvironment, registryUrl } from '../install/npm.ts';
import { type Contents, differences, tarballContents } from './content-hash.ts';
import type { RegistryClient } from './registry-client.ts';
import { manifestOf, type Repository } from './repositories.ts';

/** The version is published already, and its content is another one. */
export class VersionTaken extends Error {
  constructor(repository: Repository, name: string, version: string, files: readonly string[]) {
    const shown = files.slice(0, 8).join(', ');
    super(
      `${name}@${version} is published with other content (${files.length} files differ: ${shown}${files.length > 8 ? ', …' : ''}).\n` +
        `A published version never changes: raise "version" in ${repository.directory}/package.json, then "eshop lock" for those who use it.`,
    );
    this.name = 'VersionTaken';
  }
}

interface Packed {
  file: string;
  contents: Contents;
}

async function pack(repository: Repository, directory: string, logs: string): Promise<Packed> {
  const log = join(logs, `pack-${repository.name}.log`);
  await runLogged({
    file: 'npm',
    args: ['pack', '--ignore-scripts', '--pack-destination', directory, '--no-update-notifier'],
    cwd: repository.directory,
    env: npmEnvironment(),
    log,
  });
  const { name, version } = manifestOf(repository);
  const file = join(directory, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  return { file, contents: await tarballContents(file) };
}

/**
 * Publishes a built package to the instance's registry. The same content is left as it is.
 * @throws VersionTaken when the registry has this version with other content
 */
export async function publishPackage(
  context: Context,
  repository: Repository,
  registry: RegistryClient,
  step: Step,
): Promise<void> {
  const { name, version } = manifestOf(repository);
  const temporary = mkdtempSync(join(tmpdir(), 'eshop-pack-'));
  try {
    step.note('packing');
    const packed = await pack(repository, temporary, context.paths.logs);
    const published = await registry.find(name, version);
    if (published) {
      const files = differences(await registry.contentsOf(published), packed.contents);
      if (files.length > 0) throw new VersionTaken(repository, name, version, files);
      step.result(`${version} is published already`);
      return;
    }
    step.note('publishing');
    const url = `${registryUrl(context)}/`;
    await runLogged({
      file: 'npm',
      args: [
        'publish',
        packed.file,
        `--registry=${url}`,
        `--@eshop:registry=${url}`,
        // npm wants a token, whatever the registry thinks of it
        `--${url.replace('http:', '')}:_authToken=local`,
        '--ignore-scripts',
        '--provenance=false',
        '--no-update-notifier',
      ],
      cwd: temporary,
      env: npmEnvironment(),
      log: join(context.paths.logs, `publish-${repository.name}.log`),
      advice: 'Is the registry well? "eshop status", "eshop logs registry".',
    });
    step.result(`published ${version}`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Remembers for which built files a version was found to be published: packing takes a second. */
export class PublishedMemory {
  private readonly file: string;

  constructor({ paths }: Context) {
    this.file = join(paths.run, 'published.json');
  }

  private read(): Record<string, string> {
    try {
      return JSON.parse(readFileSync(this.file, 'utf8')) as Record<string, string>;
    } catch {
      return {};
    }
  }

  has(name: string, key: string): boolean {
    return this.read()[name] === key;
  }

  remember(name: string, key: string): void {
    writeFileSync(this.file, JSON.stringify({ ...this.read(), [name]: key }));
  }
}
