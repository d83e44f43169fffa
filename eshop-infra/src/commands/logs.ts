import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { helperStarted } from '../base/interrupt.ts';
import { partsNamed } from '../parts/all.ts';
import type { Commands } from './command-context.ts';

export function logsCommand(commands: Commands): Command {
  return new Command('logs')
    .description("show the end of a part's log")
    .argument('<part>')
    .option('-f, --follow', 'go on as the log grows, until Ctrl-C')
    .option('-n, --lines <count>', 'how many lines', '100')
    .action(async (name: string, options: { follow?: boolean; lines: string }) => {
      const context = commands.context();
      for (const part of partsNamed(context, [name])) {
        const { lines, follow = false } = options;
        const { file, args } = await context.stack.log(context, part, { lines, follow });
        const shown = spawn(file, args, { stdio: 'inherit' });
        helperStarted(shown);
        await new Promise((resolve) => shown.once('close', resolve));
      }
    });
}
