import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gt } from 'semver';
import type { Step } from '../base/progress.ts';
import type { Context } from '../context.ts';
import type { LockFile } from '../packages/lock-file.ts';
import { publishPackage } from '../packages/publish.ts';
import type { RegistryClient } from '../packages/registry-client.ts';
import { manifestOf, type Repository } from '../packages/repositories.ts';
import { releasedChangelog } from './changelog.ts';
import { comparePackage, unpackBeside } from './compare-package.ts';
import { type ApiChange, type Change, changes, neededBump, raised } from './needed-bump.ts';

/** The wanted number is smaller than what the change asks for. */
export class BumpTooSmall extends Error {
  constructor(name: string, published: string, wanted: Change, needed: Change, lines: readonly string[]) {
    const shown = lines.slice(0, 20).map((line) => `  ${line}`);
    if (lines.length > shown.length) shown.push(`  … and ${lines.length - shown.length} more`);
    super(
      [
        `${name} has changed since ${published} so that it needs a ${needed} release, not a ${wanted} one:`,
        ...shown,
      ].join('\n'),
    );
    this.name = 'BumpTooSmall';
  }
}

/** What has changed since the last published version; undefined when nothing is published. */
export async function changesSincePublished(
  { directory }: Repository,
  name: string,
  registry: RegistryClient,
): Promise<({ version: string } & ApiChange) | undefined> {
  const latest = await registry.latest(name);
  if (!latest) return undefined;
  const temporary = mkdtempSync(join(tmpdir(), 'eshop-release-'));
  try {
    const tarball = join(temporary, 'published.tgz');
    writeFileSync(tarball, await registry.download(latest.published));
    const before = join(temporary, 'published');
    await unpackBeside(directory, tarball, before);
    return { version: latest.version, ...(await comparePackage(directory, before)) };
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** Writes the new version; returns what takes it back. */
function writeVersion({ directory }: Repository, version: string): () => void {
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const files = { 'package.json': '', 'CHANGELOG.md': '', 'package-lock.json': '' };
  files['package.json'] = json({ ...(JSON.parse(read('package.json')) as object), version });
  files['CHANGELOG.md'] = releasedChangelog(read('CHANGELOG.md'), version);
  if (existsSync(join(directory, 'package-lock.json'))) {
    const lock = JSON.parse(read('package-lock.json')) as LockFile;
    const { '': own = {}, ...others } = lock.packages;
    files['package-lock.json'] = json({ ...lock, version, packages: { '': { ...own, version }, ...others } });
  }
  const written = Object.entries(files).filter(([, text]) => text !== '');
  const before = written.map(([file]) => [file, read(file)] as const);
  for (const [file, text] of written) writeFileSync(join(directory, file), text);
  return () => {
    for (const [file, text] of before) writeFileSync(join(directory, file), text);
  };
}

/**
 * Releases a built package: sees what has changed since the last published version, raises its number, puts the changelog's
 * entries under it, and publishes. A release that fails leaves the files as they were.
 * @returns the new version
 * @throws BumpTooSmall when the change asks for more than is wanted
 */
export async function releasePackage(
  context: Context,
  repository: Repository,
  bump: Change,
  registry: RegistryClient,
  step: Step,
): Promise<string> {
  const { name, version } = manifestOf(repository);
  const next = raised(version, bump);
  step.note('comparing with the published version');
  const found = await changesSincePublished(repository, name, registry);
  if (found) {
    if (!gt(next, found.version)) {
      throw new Error(
        `${name} would become ${next}, and ${found.version} is published: raise package.json to that first`,
      );
    }
    const needed = neededBump(found.version, found.change);
    if (changes.indexOf(bump) < changes.indexOf(needed)) {
      throw new BumpTooSmall(name, found.version, bump, needed, found.lines);
    }
  }
  const takeBack = writeVersion(repository, next);
  try {
    await publishPackage(context, repository, registry, step);
  } catch (error) {
    takeBack();
    throw error;
  }
  step.result(found ? `${found.version} → ${next}` : `${next}, the first`);
  return next;
}
