import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from '../parts/service-names.ts';

/** The repositories of the shop by their directories' names; each stands alone. */
export const repositoryNames: readonly string[] = [
  'eshop-proto',
  'eshop-infra',
  ...serviceNames.map((name) => `eshop-${name}`),
];

/** Whether a directory is a repository of its own, not a part of another. */
export const isRepository = (directory: string) => existsSync(join(directory, '.git'));

/**
 * @throws Error that lists the names when one is unknown
 */
export function chosenRepositories(names: readonly string[]): readonly string[] {
  if (names.length === 0) return repositoryNames;
  return names.map((name) => {
    const found = repositoryNames.find((one) => one === name || one === `eshop-${name}`);
    if (!found) throw new Error(`there is no repository "${name}"; there are: ${repositoryNames.join(', ')}`);
    return found;
  });
}
