import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const upwards = /(?<![\w/.])(?:\.\.\/)+[\w@.-]*/g;

/** Where files name a path that leads out of their repository, as `file:line: path`. */
export function outsideReferences(repository: string, files: readonly string[]): string[] {
  const found: string[] = [];
  for (const file of files) {
    const lines = readFileSync(join(repository, file), 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      for (const [path] of line.matchAll(upwards)) {
        const target = relative(repository, resolve(repository, dirname(file), path));
        if (target === '..' || target.startsWith('../')) found.push(`${file}:${index + 1}: ${path}`);
      }
    }
  }
  return found;
}
