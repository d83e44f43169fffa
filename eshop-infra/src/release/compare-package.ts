import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { x } from 'tar';
import { treeHash } from '../packages/source-hash.ts';
import { apiReport, entriesOf } from './api-report.ts';
import { type ApiChange, compareReports, stronger } from './needed-bump.ts';

/**
 * Unpacks a package so that it finds the packages that the present version has. Not below its node_modules, where declarations
 * would be taken for somebody else's.
 */
export async function unpackBeside(directory: string, tarball: string, place: string): Promise<void> {
  mkdirSync(place);
  await x({ file: tarball, cwd: place, strip: 1 });
  symlinkSync(join(directory, 'node_modules'), join(place, 'node_modules'));
}

/** `buf breaking` between two versions of the contract; a package without one has not changed it. */
function compareContract(directory: string, before: string): ApiChange {
  const [old, now] = [join(before, 'proto'), join(directory, 'proto')];
  if (!existsSync(old) || !existsSync(now)) return { change: 'patch', lines: [] };
  if (treeHash(old, { all: true }) === treeHash(now, { all: true })) return { change: 'patch', lines: [] };
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'breaking', '--', old], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (status === 0) return { change: 'minor', lines: ['+ the contract has changed and breaks nobody'] };
  return { change: 'major', lines: `${stdout}${stderr}`.trim().split('\n') };
}

/**
 * What has changed for users of a package since a version that was published: its contract (of which generated declarations
 * follow), if it has one, and what its entry points offer.
 * @param before the published version, unpacked by {@link unpackBeside}
 */
export async function comparePackage(directory: string, before: string): Promise<ApiChange> {
  const contract = compareContract(directory, before);
  const lines = [...contract.lines];
  let { change } = contract;
  const add = (found: ApiChange, entry: string) => {
    change = stronger(change, found.change);
    if (found.lines.length > 0) lines.push(`${entry}:`, ...found.lines);
  };
  const now = entriesOf(directory);
  const old = entriesOf(before);
  for (const { name, types } of old) {
    // generated from the contract, which has been compared
    if (types.includes('/generated/')) continue;
    const successor = now.find((entry) => entry.name === name);
    if (!successor) add({ change: 'major', lines: ['- the entry point is gone'] }, name);
    else {
      const previous = await apiReport(before, types);
      add(compareReports(previous, await apiReport(directory, successor.types)), name);
    }
  }
  for (const { name } of now.filter((entry) => !old.some((one) => one.name === entry.name))) {
    add({ change: 'minor', lines: ['+ the entry point is new'] }, name);
  }
  return { change, lines };
}
