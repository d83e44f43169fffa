import { Command } from 'commander';
import { auditCommand } from './audit/command.ts';
import { Interrupted, listenForInterrupts } from './base/interrupt.ts';
import { createCommands } from './commands/command-context.ts';
import { demoCommand } from './commands/demo.ts';
import { downCommand, resetCommand } from './commands/down.ts';
import { envCommand } from './commands/env.ts';
import { logsCommand } from './commands/logs.ts';
import { buildCommand, lockCommand, publishCommand } from './commands/publish.ts';
import { restartCommand, startCommand, stopCommand } from './commands/start-stop.ts';
import { statusCommand } from './commands/status.ts';
import { testCommand } from './commands/test.ts';
import { unreachablePart } from './commands/unreachable.ts';
import { upCommand } from './commands/up.ts';
import { deadLettersCommand } from './dead-letters/command.ts';
import { flashSaleCommand } from './flash-sale/command.ts';
import { loadCommand } from './load/command.ts';
import { manifestsCommand } from './manifests/command.ts';
import { releaseCommand } from './release/command.ts';
import { cloneCommand, splitCommand, syncCommand } from './split/command.ts';

const program = new Command('eshop')
  .description('The e-shop on this machine: starts it, shows it, tests it.')
  .option('--instance <name>', 'which copy of the system: own ports, own data', process.env.ESHOP_INSTANCE ?? 'default')
  .showHelpAfterError('(eshop --help lists the commands)');

const commands = createCommands(() => program.opts<{ instance: string }>().instance);

for (const command of [
  upCommand(commands),
  downCommand(commands),
  statusCommand(commands),
  logsCommand(commands),
  resetCommand(commands),
  startCommand(commands),
  stopCommand(commands),
  restartCommand(commands),
  demoCommand(commands),
  testCommand(commands),
  auditCommand(commands.lazyContext),
  loadCommand(commands.lazyContext),
  deadLettersCommand(commands.lazyContext),
  flashSaleCommand(commands.lazyContext),
  publishCommand(commands),
  releaseCommand(commands),
  buildCommand(commands),
  lockCommand(commands),
  envCommand(commands),
  manifestsCommand(commands.lazyContext),
  splitCommand(commands),
  cloneCommand(commands),
  syncCommand(commands),
]) {
  program.addCommand(command);
}

/** Mistakes of this program show their stack; what went wrong around it is told in words, a server that is not there by its name. */
async function explain(error: unknown): Promise<string> {
  if (!(error instanceof Error)) return String(error);
  const unreachable = await unreachablePart(commands.context(), error).catch(() => undefined);
  if (unreachable !== undefined && !process.env.ESHOP_DEBUG) return unreachable;
  const own = error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  return own || process.env.ESHOP_DEBUG ? (error.stack ?? error.message) : error.message;
}

/** What goes into a pipe is written behind, and would be lost with the process. */
async function writtenOut(): Promise<void> {
  const streams = [process.stdout, process.stderr];
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))));
}

// A reader that has seen enough (`eshop status | head`) is no failure: the command goes on without it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
listenForInterrupts();
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`\neshop: ${await explain(error)}\n`);
  process.exitCode = error instanceof Interrupted ? 130 : 1;
}
await writtenOut();
// clients of the servers may keep timers; nothing is left to do
process.exit();
