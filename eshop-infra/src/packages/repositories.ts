import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { type ServiceName, serviceNames } from '../parts/service-names.ts';

/** One repository or package: a directory with a package.json of its own. */
export interface Repository {
  /** As in `eshop test NAME`: proto, nest-service, nest-dtm, a service's name, infra. */
  name: string;
  directory: string;
}

export interface Manifest {
  name: string;
  version: string;
  scripts?: Record<string, string>;
}

export function manifestOf({ directory }: Repository): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

/**
 * A service's start script, and what follows `node` in it. It begins with `exec`: a shell that stayed would not pass on the signal
 * that ends the service.
 */
export function startScript(repository: Repository): { script: string; nodeArguments: string[] } {
  const script = manifestOf(repository).scripts?.start ?? '';
  const [exec, node, ...nodeArguments] = script.split(' ');
  if (exec !== 'exec' || node !== 'node') {
    throw new Error(`the start script of ${repository.name} does not begin with "exec node": ${script}`);
  }
  return { script, nodeArguments };
}

export const exists = ({ directory }: Repository) => existsSync(join(directory, 'package.json'));

/** The packages that are published, in rounds: each may depend on those of the rounds before. */
export function packageRounds({ paths }: Context): Repository[][] {
  return [
    [{ name: 'proto', directory: join(paths.root, 'eshop-proto') }],
    [{ name: 'nest-dtm', directory: join(paths.infra, 'packages/nest-dtm') }],
    [{ name: 'nest-service', directory: join(paths.infra, 'packages/nest-service') }],
  ].map((round) => round.filter(exists));
}

export function serviceRepository({ paths }: Context, name: ServiceName): Repository {
  return { name, directory: join(paths.root, `eshop-${name}`) };
}

/** The services that are in this checkout. */
export function serviceRepositories(context: Context): (Repository & { name: ServiceName })[] {
  return serviceNames.map((name) => ({ ...serviceRepository(context, name), name })).filter(exists);
}

export function infraRepository({ paths }: Context): Repository {
  return { name: 'infra', directory: paths.infra };
}
