import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the last installation and the last build of a repository were made from. */
export interface Stamp {
  /** Hash of the lock file and of the contents of our own packages in it. */
  installed?: string;
  /** Hash of the sources and of `installed`. */
  built?: string;
  /** Hash of what the build made: a dist that was changed or removed by hand is built again. */
  output?: string;
}

/** In node_modules, so that it goes when they go. */
const file = (repository: string) => join(repository, 'node_modules/.eshop-stamp');

export function readStamp(repository: string): Stamp {
  try {
    return JSON.parse(readFileSync(file(repository), 'utf8')) as Stamp;
  } catch {
    return {};
  }
}

export function writeStamp(repository: string, stamp: Stamp): void {
  const temporary = `${file(repository)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(stamp));
  renameSync(temporary, file(repository));
}
