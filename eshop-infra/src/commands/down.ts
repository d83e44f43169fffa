import { rmSync } from 'node:fs';
import { Command } from 'commander';
import type { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { partsNamed, possibleParts } from '../parts/all.ts';
import { partsThatRun, startParts, stopParts } from '../parts/start-parts.ts';
import { recordStack } from '../stacks/choice.ts';
import type { StackName } from '../stacks/stack.ts';
import type { Commands } from './command-context.ts';

/** Stops all parts of the instance that run; those that do not are not mentioned. */
export async function stopSystem(context: Context, progress: Progress): Promise<void> {
  const parts = await partsThatRun(context, possibleParts(context));
  if (parts.length === 0) progress.say(`nothing runs (instance ${context.instance})`);
  await stopParts(context, parts, progress);
}

export function downCommand(commands: Commands): Command {
  return new Command('down')
    .description('stop everything; the data stay')
    .action(() => commands.exclusively('down', (context) => stopSystem(context, commands.progress)));
}

/** Removes everything of an instance that is stopped. */
export async function removeState(context: Context): Promise<void> {
  await context.stack.remove(context);
  rmSync(context.paths.state, { recursive: true, force: true });
}

/**
 * Begins an instance with a stack and no data, whatever it was before. Containers and volumes of a clone that was removed from this
 * place are found by the stack's name only, so that is recorded first.
 */
export async function beginAnew(context: Context, stack: StackName, progress: Progress): Promise<void> {
  recordStack(context, stack);
  await stopSystem(context, progress);
  await removeState(context);
  recordStack(context, stack);
}

export function resetCommand(commands: Commands): Command {
  const { progress } = commands;
  return new Command('reset')
    .description('stop everything and remove all data of the instance, or of the named servers only')
    .argument(
      '[part...]',
      'mysql, redis, kafka or registry: stopped, emptied, and started again if it ran; with mysql also what uses it',
    )
    .action((names: string[]) =>
      commands.exclusively('reset', async (context) => {
        if (names.length === 0) {
          await stopSystem(context, progress);
          await removeState(context);
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
        const emptied = new Set(parts.map(({ name }) => name));
        // What stands on MySQL makes its tables when it starts.
        const affected = possibleParts(context).filter(
          ({ name, needs }) => emptied.has(name) || (emptied.has('mysql') && needs.includes('mysql')),
        );
        const ran = await partsThatRun(context, affected);
        await stopParts(context, ran, progress);
        for (const part of parts) {
          progress.say(`removed ${await context.stack.empty(context, part)}`);
        }
        await startParts(context, ran, progress);
      }),
    );
}
