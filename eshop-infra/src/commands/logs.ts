import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { helperStarted } from '../base/interrupt.ts';
import { partsNamed } from '../parts/all.ts';
import { logFile } from '../parts/supervisor.ts';
import type { Commands } from './command-context.ts';

export function logsCommand(commands: Commands): Command {
  return new Command('logs')
    .description("show the end of a part's log")
    .argument('<part>')
    .option('-f, --follow', 'go on as the log grows, until Ctrl-C')
    .option('-n, --lines <count>', 'how many lines', '100')
    .action(async (name: string, options: { follow?: boolean; lines: string }) => {
      const context = commands.context();
      partsNamed(context, [name]);
      const file = logFile(context, name);
      if (!existsSync(file)) throw new Error(`${name} has no log yet (instance ${context.instance}): ${file}`);
      const tail = spawn('tail', ['-n', options.lines, ...(options.follow ? ['-F'] : []), file], { stdio: 'inherit' });
      helperStarted(tail);
      await new Promise((resolve) => tail.once('close', resolve));
    });
}
