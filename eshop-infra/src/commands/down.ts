import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { allParts, partsNamed, stackParts } from '../parts/all.ts';
import { startParts, stopParts } from '../parts/start-parts.ts';
import { findProcess } from '../parts/supervisor.ts';
import type { Commands } from './command-context.ts';

/** Stops all parts of the instance that run; those that do not are not mentioned. */
export async function stopSystem(context: Context, progress: Progress): Promise<void> {
  const running = allParts(context).filter((part) => findProcess(context, part));
  if (running.length === 0) progress.say(`nothing runs (instance ${context.instance})`);
  await stopParts(context, running, progress);
}

export function downCommand(commands: Commands): Command {
  return new Command('down')
    .description('stop everything; the data stay')
    .action(() => commands.exclusively('down', (context) => stopSystem(context, commands.progress)));
}

/** Removes everything of an instance that is stopped. */
export function removeState({ paths }: Context): void {
  rmSync(paths.state, { recursive: true, force: true });
  rmSync(paths.sockets, { recursive: true, force: true });
}

export function resetCommand(commands: Commands): Command {
  const { progress } = commands;
  return new Command('reset')
    .description('stop everything and remove all data of the instance, or of the named servers only')
    .argument('[part...]', 'mysql, redis, kafka or registry: stopped, emptied, and started again if it ran')
    .action((names: string[]) =>
      commands.exclusively('reset', async (context) => {
        if (names.length === 0) {
          await stopSystem(context, progress);
          removeState(context);
          progress.say(`removed ${context.paths.state}`);
          return;
        }
        const parts = partsNamed(context, names);
        for (const part of parts) {
          if (!['mysql', 'redis', 'kafka', 'registry'].includes(part.name)) {
            throw new Error(
              `${part.name} keeps its data elsewhere; mysql, redis, kafka and registry have data of their own`,
            );
          }
        }
        const ran = parts.filter((part) => findProcess(context, part));
        await stopParts(context, ran, progress);
        for (const part of parts) {
          const data = join(context.paths.data, part.name);
          if (existsSync(data)) rmSync(data, { recursive: true });
          progress.say(`removed ${data}`);
        }
        await startParts(
          context,
          stackParts.filter((part) => ran.includes(part)),
          progress,
        );
      }),
    );
}
