import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The sources as JavaScript, for a process of its own. `dir` holds its modules; `remove()` deletes it. */
export function compiledLibrary(): { dir: string; remove(): void } {
  // Below node_modules, so that it finds what the package depends on.
  const dir = at(`node_modules/.cache/nest-dtm-${randomBytes(6).toString('hex')}`);
  execFileSync(process.execPath, [at('node_modules/ts7/bin/tsc'), '-p', at('tsconfig.build.json'), '--outDir', dir]);
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
