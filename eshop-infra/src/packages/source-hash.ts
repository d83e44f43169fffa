import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a .gitignore of ours may hold: names and paths of files and directories, with `*` for the end or the beginning of a
 * name. Enough to tell sources from what is made of them, also where there is no git.
 */
function ignoredBy(lines: readonly string[]): (path: string) => boolean {
  const rules = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('!'))
    .map((line) => {
      const rooted = line.replace(/\/$/, '').includes('/');
      const text = line.replace(/^\//, '').replace(/\/$/, '');
      const pattern = text
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('**', '\0')
        .replaceAll('*', '[^/]*');
      return new RegExp(`${rooted ? '^' : '(^|/)'}${pattern.replaceAll('\0', '.*')}$`);
    });
  return (path) => rules.some((rule) => rule.test(path));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export interface TreeOptions {
  /** Directories and files (paths below the root) that do not count, beside those of .gitignore. */
  except?: readonly string[];
  /** Take what .gitignore names, too (for built files). */
  all?: boolean;
}

/** The files below a directory in a fixed order; .git, node_modules and what .gitignore names are left out. */
export function filesOf(root: string, { except = [], all = false }: TreeOptions = {}): string[] {
  const ignored = ignoredBy(all ? [] : ['node_modules', '.git', ...read(join(root, '.gitignore')).split('\n')]);
  const found: string[] = [];
  const walk = (directory: string) => {
    const entries = readdirSync(join(root, directory), { withFileTypes: true });
    for (const entry of entries) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (ignored(path) || except.includes(path)) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(path);
    }
  };
  walk('');
  return found.sort();
}

/** A hash over the names and the bytes of these files. */
export function treeHash(root: string, options: TreeOptions = {}): string {
  const hash = createHash('sha256');
  for (const path of filesOf(root, options)) {
    hash.update(`${path}\0`);
    hash.update(
      createHash('sha256')
        .update(readFileSync(join(root, path)))
        .digest(),
    );
  }
  return hash.digest('hex');
}
