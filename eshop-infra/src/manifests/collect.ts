import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { serviceNames } from '../parts/service-names.ts';

export interface CollectOptions {
  /** Begins the services' image names in place of `eshop/`: `registry.example/shop/`. */
  images?: string;
  /** The tag of the services' images in place of the bases' own. */
  tag?: string;
}

const base = (root: string, service: string) => join(root, `eshop-${service}`, 'deploy/kubernetes');

function imageEntries({ images, tag }: CollectOptions): string {
  if (images === undefined && tag === undefined) return '';
  const entries = serviceNames.map((name) => ({
    name: `eshop/${name}`,
    ...(images === undefined ? {} : { newName: `${images}${name}` }),
    ...(tag === undefined ? {} : { newTag: tag }),
  }));
  return `images: ${JSON.stringify(entries, null, 2)}\n`;
}

/**
 * Puts the manifests of the whole system into one directory: those of eshop-infra and, from the repositories beside it, the
 * base of each service. `kubectl apply -k DIR` then needs nothing else.
 * @throws Error that names what is missing, or when the directory holds something else
 */
export function collectManifests(
  { paths }: Pick<Context, 'paths'>,
  directory: string,
  options: CollectOptions = {},
): void {
  const missing = serviceNames.filter((name) => !existsSync(base(paths.root, name)));
  if (missing.length > 0) {
    const names = missing.map((name) => `eshop-${name}`).join(', ');
    throw new Error(`not beside eshop-infra: ${names}; "eshop clone" fetches the repositories`);
  }
  const known = ['dtm', 'system', 'services', 'kustomization.yaml'];
  const strangers = existsSync(directory) ? readdirSync(directory).filter((name) => !known.includes(name)) : [];
  if (strangers.length > 0) throw new Error(`${directory} holds other files: ${strangers.slice(0, 3).join(', ')}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'services'), { recursive: true });
  for (const part of ['dtm', 'system']) {
    cpSync(join(paths.infra, 'deploy/kubernetes', part), join(directory, part), { recursive: true });
  }
  for (const name of serviceNames) {
    cpSync(base(paths.root, name), join(directory, 'services', name), { recursive: true });
  }
  writeFileSync(
    join(directory, 'kustomization.yaml'),
    `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [system]\n${imageEntries(options)}`,
  );
}
