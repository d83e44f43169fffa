import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { filesOf } from '../../packages/source-hash.ts';

/** A repository's own files, in a directory of the same name with nothing beside it, as a fresh clone would be. */
export interface RepositoryCopy {
  directory: string;
  /** Paths below the directory. */
  files: readonly string[];
  remove(): void;
}

/** Copies what is under version control or would be: neither node_modules nor anything that was built. */
export function copyRepository(repository: string): RepositoryCopy {
  const place = mkdtempSync(join(tmpdir(), 'eshop-alone-'));
  const directory = join(place, basename(repository));
  const files = filesOf(repository);
  for (const file of files) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    copyFileSync(join(repository, file), join(directory, file));
  }
  return { directory, files, remove: () => rmSync(place, { recursive: true, force: true }) };
}
