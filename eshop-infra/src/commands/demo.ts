import { Command } from 'commander';
import { runDemo } from '../demo/demo.ts';
import type { Commands } from './command-context.ts';

export function demoCommand(commands: Commands): Command {
  return new Command('demo')
    .description('place an order that succeeds and one that rolls back, hold a flash sale; show each step')
    .action(() => runDemo(commands.context(), commands.progress));
}
