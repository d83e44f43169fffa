import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { type CollectOptions, collectManifests } from './collect.ts';
import { render } from './render.ts';

export function manifestsCommand(context: Context): Command {
  return new Command('manifests')
    .description('collect the Kubernetes manifests of all repositories into one directory, for kubectl apply -k')
    .argument('<directory>', 'made anew; may hold what an earlier run put there')
    .option('--images <prefix>', "where the services' images are, instead of eshop/: registry.example/shop/")
    .option('--tag <tag>', "the tag of the services' images")
    .option('--print', 'also print what they stand for, as kubectl would apply it')
    .action(async (directory: string, options: CollectOptions & { print?: boolean }) => {
      const target = resolve(directory);
      collectManifests(context, target, options);
      if (options.print) process.stdout.write(await render(context, target));
      else process.stdout.write(`collected; next: kubectl apply -k ${target}\n`);
    });
}
