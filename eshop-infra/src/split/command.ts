import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { Commands } from '../commands/command-context.ts';
import { cloneRepository, type Source, sourceOf } from './clone.ts';
import { git } from './git.ts';
import { splitDirectory } from './split.ts';
import { syncRepository } from './sync.ts';
import { chosenRepositories, isRepository } from './work-area.ts';

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

export function splitCommand({ progress, lazyContext }: Commands): Command {
  return new Command('split')
    .description('make a git repository of each directory, with its history; again: add what is new')
    .argument('<directory>', 'where the repositories are put')
    .argument('[repository...]', 'only these')
    .option('--revision <revision>', 'what to split', 'HEAD')
    .option('--branch <branch>', 'the branch of the new repositories', 'main')
    .action(async (directory: string, names: string[], options: { revision: string; branch: string }) => {
      const target = resolve(directory);
      mkdirSync(target, { recursive: true });
      for (const name of chosenRepositories(names)) {
        await progress.step(name, async (step) => {
          const { commits, added } = await splitDirectory(lazyContext.paths.root, name, join(target, name), options);
          step.result(added === commits ? plural(commits, 'commit') : `${plural(commits, 'commit')}, ${added} new`);
        });
      }
    });
}

/** Where this eshop-infra was cloned from tells where the others are. */
async function ownSource(infra: string): Promise<Source> {
  if (!isRepository(infra)) throw new Error('this eshop-infra is no clone: say where the repositories are (--from)');
  return sourceOf(await git(infra, ['remote', 'get-url', 'origin']));
}

/** `https://host/team`, `git@host:team/` and `…/eshop-infra.git` all say where the repositories are. */
export function givenSource(from: string): Source {
  if (/eshop-infra(\.git)?\/?$/.test(from)) return sourceOf(from);
  return { base: /[/:]$/.test(from) ? from : `${from}/`, ending: '' };
}

export function cloneCommand({ progress, lazyContext }: Commands): Command {
  return new Command('clone')
    .description('fetch the repositories that are missing into one directory: the work area of all')
    .argument('[directory]', 'default: the one that holds this eshop-infra')
    .option('--from <address>', 'what comes before eshop-order.git; default: where this eshop-infra came from')
    .action(async (directory: string | undefined, options: { from?: string }) => {
      const { root, infra } = lazyContext.paths;
      const target = resolve(directory ?? root);
      const source = options.from ? givenSource(options.from) : await ownSource(infra);
      mkdirSync(target, { recursive: true });
      for (const name of chosenRepositories([])) {
        await progress.step(name, async (step) => step.result(await cloneRepository(source, target, name)));
      }
    });
}

export function syncCommand({ progress, lazyContext }: Commands): Command {
  return new Command('sync')
    .description('bring the repositories of the work area forward, where nothing can be lost by it')
    .argument('[repository...]', 'only these')
    .option('--directory <directory>', 'the work area; default: the directory that holds this eshop-infra')
    .action(async (names: string[], options: { directory?: string }) => {
      const target = resolve(options.directory ?? lazyContext.paths.root);
      const found = chosenRepositories(names).filter((name) => isRepository(join(target, name)));
      if (found.length === 0)
        throw new Error(`${target} holds no repositories of the shop; "eshop clone" fetches them`);
      for (const name of found) {
        await progress.step(name, async (step) => {
          const { taken, ahead, behind, branch, left } = await syncRepository(join(target, name));
          const words = [
            branch,
            taken > 0 ? `${plural(taken, 'commit')} taken over` : behind === 0 ? 'up to date' : `${behind} behind`,
            ...(ahead > 0 ? [`${plural(ahead, 'commit')} not pushed`] : []),
            ...(left ? [left] : []),
          ];
          if (left && behind > 0) step.failed(words.join(', '));
          else step.result(words.join(', '));
        });
      }
    });
}
