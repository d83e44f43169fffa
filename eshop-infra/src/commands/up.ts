import { Command, Option } from 'commander';
import type { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { runDemo } from '../demo/demo.ts';
import { seed } from '../demo/seed.ts';
import { publishAll } from '../packages/publish-all.ts';
import { shopParts, stackParts } from '../parts/all.ts';
import { startParts } from '../parts/start-parts.ts';
import { startShop } from '../parts/start-shop.ts';
import { chooseStack, recordStack } from '../stacks/choice.ts';
import { type StackName, stackNames } from '../stacks/stack.ts';
import type { Commands } from './command-context.ts';

/** Brings the whole system of an instance to where every part answers. */
export async function startSystem(context: Context, progress: Progress): Promise<void> {
  progress.title('Servers');
  await startParts(context, stackParts, progress);
  progress.title('Packages and services');
  await publishAll(context, progress);
  await context.stack.build(context, progress);
  progress.title('Starting');
  await startShop(context, progress);
}

/** Where a person finds things. */
export function urls(context: Context): string {
  const { ports, gatewayUrl } = context;
  const lines: [string, string][] = [['gateway', `${gatewayUrl}/apis/swagger/index.html`]];
  for (const { name, ports: own } of shopParts(context)) {
    const http = own[0];
    if (name !== 'gw' && name !== 'balancer' && http)
      lines.push([name, `http://127.0.0.1:${ports[http]}/apis/swagger/index.html`]);
  }
  lines.push(
    ['npm registry', `http://127.0.0.1:${ports.registry}`],
    ['DTM (MySQL)', `http://127.0.0.1:${ports.dtmMysqlHttp}/api/dtmsvr/all`],
    ['DTM (Redis)', `http://127.0.0.1:${ports.dtmRedisHttp}/api/dtmsvr/all`],
  );
  return lines.map(([name, url]) => `  ${name.padEnd(14)} ${url}`).join('\n');
}

/** `--stack native|docker` of a command. */
export function stackOption(description: string): Option {
  return new Option('--stack <name>', description).choices(stackNames);
}

async function beginStack(context: Context, progress: Progress, wanted: StackName | undefined): Promise<void> {
  const { name, reason } = wanted ? { name: wanted, reason: 'as asked for' } : await chooseStack(context);
  recordStack(context, name);
  progress.say(`${name} stack (${reason})`);
}

export function upCommand(commands: Commands): Command {
  const { progress } = commands;
  return new Command('up')
    .description('install what is missing, start everything, place demo orders, print the URLs')
    .addOption(stackOption('how to run them; default: containers when an engine answers and the images can be had'))
    .option('--no-demo', 'place no demo orders: only the data that the examples of the documentation speak of')
    .action((options: { demo: boolean; stack?: StackName }) =>
      commands.exclusively('up', async (context) => {
        const began = Date.now();
        await beginStack(context, progress, options.stack);
        await startSystem(context, progress);
        if (options.demo) await runDemo(context, progress);
        else await progress.step('example data', () => seed(context));
        progress.title(
          `The e-shop runs (instance ${context.instance}, after ${Math.round((Date.now() - began) / 1000)} s)`,
        );
        progress.say(urls(context));
      }),
    );
}
