import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { git } from './git.ts';
import { isRepository } from './work-area.ts';

/** Where the repositories are, from where one of them came: `…/eshop-infra.git` → base `…/`, ending `.git`. */
export interface Source {
  base: string;
  ending: string;
}

/** @throws Error when the address is not that of an eshop-infra */
export function sourceOf(infraAddress: string): Source {
  const [, base, ending] = /^(.*[/:])eshop-infra((?:\.git)?)\/?$/.exec(infraAddress) ?? [];
  if (base === undefined || ending === undefined) {
    throw new Error(`"${infraAddress}" does not end in eshop-infra: say where the repositories are (--from)`);
  }
  return { base, ending };
}

/** Clones one repository into the work area, unless it is there. Returns what was done. */
export async function cloneRepository(source: Source, workArea: string, name: string): Promise<'cloned' | 'was there'> {
  const target = join(workArea, name);
  if (isRepository(target)) return 'was there';
  if (existsSync(target)) throw new Error(`${target} is there and is no git repository`);
  await git(workArea, ['clone', '--quiet', `${source.base}${name}${source.ending}`, name]);
  return 'cloned';
}
