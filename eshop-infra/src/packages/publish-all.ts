import { createHash } from 'node:crypto';
import type { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { registryUrl } from '../install/npm.ts';
import { prepareRepository } from './prepare.ts';
import { PublishedMemory, publishPackage } from './publish.ts';
import { RegistryClient } from './registry-client.ts';
import { manifestOf, packageRounds, type Repository, serviceRepositories } from './repositories.ts';
import { treeHash } from './source-hash.ts';

export function registryClient(context: Context): RegistryClient {
  return new RegistryClient(registryUrl(context));
}

/** Builds our packages and publishes them to the instance's registry, in the order of their dependencies. */
export async function publishAll(context: Context, progress: Progress): Promise<void> {
  const registry = registryClient(context);
  const memory = new PublishedMemory(context);
  const publish = async (repository: Repository) => {
    const { name, version } = manifestOf(repository);
    await progress.step(name, async (step) => {
      const output = await prepareRepository(context, repository, registry, step);
      const key = createHash('sha256').update(output).update(treeHash(repository.directory));
      const published = await registry.find(name, version);
      const stamp = key.update(published?.integrity ?? '').digest('hex');
      if (published && memory.has(name, stamp)) {
        step.result(`${version} is published already`);
        return;
      }
      await publishPackage(context, repository, registry, step);
      const now = await registry.find(name, version);
      const known = createHash('sha256').update(output).update(treeHash(repository.directory));
      memory.remember(name, known.update(now?.integrity ?? '').digest('hex'));
    });
  };
  // one after the other: builds use all processors there are
  for (const round of packageRounds(context)) for (const repository of round) await publish(repository);
}

/** npm unpacks with one processor: two at a time are faster, more are not. */
const AT_ONCE = 2;

/** Does work for the named services (default: all) of this checkout, for two at a time. */
export async function forEachService(
  context: Context,
  names: readonly string[] | undefined,
  work: (repository: Repository) => Promise<void>,
): Promise<void> {
  const waiting = serviceRepositories(context).filter(({ name }) => names === undefined || names.includes(name));
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await work(next);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Installs and builds the services, where something has changed. */
export async function buildServices(context: Context, progress: Progress, names?: readonly string[]): Promise<void> {
  const registry = registryClient(context);
  await forEachService(context, names, async (repository) => {
    await progress.step(`eshop-${repository.name}`, (step) => prepareRepository(context, repository, registry, step));
  });
}
