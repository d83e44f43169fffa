import { constants } from 'node:os';
import { Command } from 'commander';
import { partsNamed } from '../parts/all.ts';
import { assertNeedsRun } from '../parts/needs.ts';
import { startParts, stopParts } from '../parts/start-parts.ts';
import type { Commands } from './command-context.ts';

/** `KILL`, `kill` and `SIGKILL` → `SIGKILL`. */
export function signalNamed(text: string): NodeJS.Signals {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  if (!(name in constants.signals)) throw new Error(`there is no signal "${text}"`);
  return name as NodeJS.Signals;
}

export function startCommand(commands: Commands): Command {
  return new Command('start')
    .description('start one part or several (those they need must run, or be named too)')
    .argument('<part...>')
    .action((names: string[]) =>
      commands.exclusively(`start ${names.join(' ')}`, (context) =>
        startParts(context, partsNamed(context, names), commands.progress),
      ),
    );
}

export function stopCommand(commands: Commands): Command {
  return new Command('stop')
    .description('stop one part or several')
    .argument('<part...>')
    .option('--signal <name>', 'send this signal instead of asking first: KILL for fault tests')
    .action((names: string[], options: { signal?: string }) =>
      commands.exclusively(`stop ${names.join(' ')}`, (context) =>
        stopParts(
          context,
          partsNamed(context, names),
          commands.progress,
          options.signal ? signalNamed(options.signal) : undefined,
        ),
      ),
    );
}

export function restartCommand(commands: Commands): Command {
  return new Command('restart')
    .description('stop and start one part or several')
    .argument('<part...>')
    .option('--signal <name>', 'how to stop: KILL for fault tests')
    .action((names: string[], options: { signal?: string }) =>
      commands.exclusively(`restart ${names.join(' ')}`, async (context) => {
        const parts = partsNamed(context, names);
        const signal = options.signal ? signalNamed(options.signal) : undefined;
        // A part that could not come up again goes on instead.
        await assertNeedsRun(context, parts);
        await stopParts(context, parts, commands.progress, signal);
        await startParts(context, parts, commands.progress);
      }),
    );
}
