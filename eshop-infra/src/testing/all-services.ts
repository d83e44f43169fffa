import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { serviceNames } from '../parts/service-names.ts';

/** The context of a checkout that has a repository for each service, empty ones in `root`: a clone of eshop-infra alone has none. */
export function withAllServices<C extends Context>(context: C, root: string): C {
  for (const name of serviceNames) {
    const directory = join(root, `eshop-${name}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{}\n');
  }
  return Object.defineProperty(context, 'paths', { value: { ...context.paths, root } });
}
