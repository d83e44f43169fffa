import { Command } from 'commander';
import { publishAll } from '../packages/publish-all.ts';
import { writeTidyLock } from '../packages/refresh-lock.ts';
import { infraRepository, packageRounds, serviceRepositories } from '../packages/repositories.ts';
import { registryPart } from '../parts/registry.ts';
import { startParts } from '../parts/start-parts.ts';
import type { Commands } from './command-context.ts';

export function publishCommand(commands: Commands): Command {
  return new Command('publish')
    .description("build the @eshop packages and publish them to the instance's registry")
    .action(() =>
      commands.exclusively('publish', async (context) => {
        await startParts(context, [registryPart], commands.progress);
        await publishAll(context, commands.progress);
      }),
    );
}

export function buildCommand(commands: Commands): Command {
  return new Command('build')
    .description('install and build the services, where something has changed')
    .argument('[service...]')
    .action((names: string[]) =>
      commands.exclusively('build', async (context) => {
        await startParts(context, [registryPart], commands.progress);
        await context.stack.build(context, commands.progress, names.length > 0 ? names : undefined);
      }),
    );
}

export function lockCommand(commands: Commands): Command {
  return new Command('lock')
    .description(
      'refresh package-lock.json for developers: after a change of dependencies or a new version of a package',
    )
    .argument('[repository...]', 'proto, nest-service, nest-dtm, a service, infra; default: the services')
    .action((names: string[]) =>
      commands.exclusively('lock', async (context) => {
        await startParts(context, [registryPart], commands.progress);
        const all = [...packageRounds(context).flat(), ...serviceRepositories(context), infraRepository(context)];
        const unknown = names.find((name) => !all.some((one) => one.name === name));
        if (unknown)
          throw new Error(`there is no repository "${unknown}"; there are: ${all.map((one) => one.name).join(', ')}`);
        const chosen = names.length > 0 ? all.filter((one) => names.includes(one.name)) : serviceRepositories(context);
        for (const repository of chosen) {
          await commands.progress.step(repository.name, (step) => writeTidyLock(context, repository, step));
        }
      }),
    );
}
