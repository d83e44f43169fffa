import { Argument, Command } from 'commander';
import type { Commands } from '../commands/command-context.ts';
import type { Context } from '../context.ts';
import { prepareRepository } from '../packages/prepare.ts';
import { registryClient } from '../packages/publish-all.ts';
import { writeTidyLock } from '../packages/refresh-lock.ts';
import { manifestOf, packageRounds, type Repository, serviceRepositories } from '../packages/repositories.ts';
import { registryPart } from '../parts/registry.ts';
import { startParts } from '../parts/start-parts.ts';
import { type Change, changes } from './needed-bump.ts';
import { releasePackage } from './release.ts';
import { wantVersion } from './users.ts';

/** Brings those who use the package up to date. A service waits while a package that it uses must be released first. */
async function updateUsers(context: Context, commands: Commands, released: Repository): Promise<void> {
  const { progress } = commands;
  const packages = packageRounds(context).flat();
  const { name, version } = manifestOf(released);
  const others = packages.filter((one) => one.directory !== released.directory && wantVersion(one, name, version));
  for (const other of others) {
    await progress.step(other.name, (step) => writeTidyLock(context, other, step));
  }
  if (others.length > 0) {
    const names = others.map((one) => one.name).join(', ');
    progress.say(`\nThe range of ${name} in ${names} has changed: release that next; the services follow then.`);
    return;
  }
  for (const service of serviceRepositories(context)) {
    const changed = packages.filter((one) => {
      const wanted = manifestOf(one);
      return wantVersion(service, wanted.name, wanted.version);
    });
    if (changed.length === 0) continue;
    await progress.step(`eshop-${service.name}`, (step) => writeTidyLock(context, service, step));
  }
}

export function releaseCommand(commands: Commands): Command {
  return new Command('release')
    .description(
      'release a package: checks that the number fits what has changed (buf breaking, public API), writes it and the ' +
        'changelog, publishes, and refreshes those who use it',
    )
    .argument('<package>', 'proto, nest-service or nest-dtm')
    .addArgument(new Argument('<bump>', 'the number that is raised').choices(changes))
    .action((given: string, bump: Change) =>
      commands.exclusively('release', async (context) => {
        const packages = packageRounds(context).flat();
        const repository = packages.find((one) => one.name === given);
        if (!repository) {
          throw new Error(`there is no package "${given}"; there are: ${packages.map((one) => one.name).join(', ')}`);
        }
        await startParts(context, [registryPart], commands.progress);
        const registry = registryClient(context);
        await commands.progress.step(`${given}: building`, (step) =>
          prepareRepository(context, repository, registry, step),
        );
        const version = await commands.progress.step(`${given}: releasing`, (step) =>
          releasePackage(context, repository, bump, registry, step),
        );
        await updateUsers(context, commands, repository);
        const { name } = manifestOf(repository);
        commands.progress.say(
          `\n${name} ${version} is published here. Commit it and tag it v${version}: CI publishes tags.`,
        );
      }),
    );
}
