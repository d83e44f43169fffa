import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { satisfies } from 'semver';
import type { Repository } from '../packages/repositories.ts';

type Dependencies = Record<string, string>;

interface Manifest {
  name: string;
  dependencies?: Dependencies;
  devDependencies?: Dependencies;
  peerDependencies?: Dependencies;
}

const kinds = ['dependencies', 'devDependencies', 'peerDependencies'] as const;

/**
 * Lets a repository want a version of one of our packages: an exact version becomes the new one, a range is widened to `^version`
 * only where it does not hold it yet. Returns whether its package.json has changed.
 */
export function wantVersion({ directory }: Repository, name: string, version: string): boolean {
  const file = join(directory, 'package.json');
  const before = readFileSync(file, 'utf8');
  const manifest = JSON.parse(before) as Manifest;
  for (const kind of kinds) {
    const wanted = manifest[kind]?.[name];
    if (wanted === undefined || satisfies(version, wanted)) continue;
    (manifest[kind] as Dependencies)[name] = /^\d/.test(wanted) ? version : `^${version}`;
  }
  const after = `${JSON.stringify(manifest, null, 2)}\n`;
  if (after === before) return false;
  writeFileSync(file, after);
  return true;
}
