import { Command } from 'commander';
import { memoryOf } from '../base/proc.ts';
import type { Context } from '../context.ts';
import { allParts, possibleParts } from '../parts/all.ts';
import type { Part } from '../parts/part.ts';
import type { Commands } from './command-context.ts';

interface Line {
  part: Part;
  pid: number | undefined;
  state: string;
}

async function stateOf(context: Context, part: Part): Promise<Line> {
  const pid = (await context.stack.find(context, part))?.pid;
  if (pid === undefined) return { part, pid, state: 'stopped' };
  try {
    await (part.probe ?? part.check)(context);
    return { part, pid, state: 'ready' };
  } catch (error) {
    return { part, pid, state: `not ready: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** As wide as its heading; empty for what does not run. */
const megabytes = (bytes: number) => (bytes ? String(Math.round(bytes / 1e6)) : '').padStart(7);

export function statusCommand(commands: Commands): Command {
  return new Command('status')
    .description('what runs, where it listens, how much memory it uses (exit code 3 when not all is ready)')
    .action(async () => {
      const context = commands.context();
      const wanted = new Set(allParts(context).map(({ name }) => name));
      const lines = (await Promise.all(possibleParts(context).map((part) => stateOf(context, part)))).filter(
        ({ part, pid }) => wanted.has(part.name) || pid !== undefined,
      );
      commands.progress.say(
        `instance ${context.instance}, ${context.stack.name} stack, state in ${context.paths.state}`,
      );
      commands.progress.say('part        state         pid  RSS MB  PSS MB  ports');
      for (const { part, pid, state } of lines) {
        const ports = part.ports.map((port) => context.ports[port]).join(' ');
        const { residentBytes, ownBytes } = memoryOf(pid);
        const [short, ...reason] = state.split(': ');
        commands.progress.say(
          `${part.name.padEnd(11)} ${(short ?? '').padEnd(9)} ${String(pid ?? '').padStart(7)} ${megabytes(residentBytes)} ${megabytes(ownBytes)}  ${ports.padEnd(14)} ${part.title}`.trimEnd(),
        );
        if (reason.length > 0) commands.progress.say(`            ${reason.join(': ').slice(0, 200)}`);
      }
      if (lines.some((line) => line.state !== 'ready')) process.exitCode = 3;
    });
}
