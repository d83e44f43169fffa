import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The sources as JavaScript, for a process of its own. `index` is its main module; `remove()` deletes it. */
export function compiledLibrary(): { index: string; remove(): void } {
  // Below node_modules, so that it finds what the package depends on.
  const dir = at(`node_modules/.cache/nest-dtm-${randomBytes(6).toString('hex')}`);
  execFileSync(process.execPath, [at('node_modules/ts7/bin/tsc'), '-p', at('tsconfig.build.json'), '--outDir', dir]);
  return { index: `${dir}/index.js`, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
