import { Command } from 'commander';
import { runDemo } from '../demo/demo.ts';
import type { Commands } from './command-context.ts';

export function demoCommand(commands: Commands): Command {
  return new Command('demo')
    .description('place an order that succeeds and one that is out of stock and rolls back; show each step')
    .action(() => runDemo(commands.context(), commands.progress));
}
