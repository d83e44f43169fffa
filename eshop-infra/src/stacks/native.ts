import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AptPackage, aptInstall } from '../install/apt.ts';
import { buildServices } from '../packages/publish-all.ts';
import { logFile } from '../parts/ready.ts';
import { runningParts } from '../parts/running.ts';
import { findProcess, startPart, stopPart } from '../parts/supervisor.ts';
import type { Stack } from './stack.ts';

/** The parts as processes of this machine, on private data directories. */
export const nativeStack: Stack = {
  name: 'native',

  async provide(context, parts, progress) {
    const missing = new Map<string, AptPackage>();
    for (const part of parts) {
      for (const one of (await part.missingPackages?.(context)) ?? []) missing.set(one.name, one);
    }
    if (missing.size === 0) return;
    await progress.step(`installing ${[...missing.keys()].join(', ')} with apt`, (step) =>
      aptInstall([...missing.values()], context.paths.logs, step),
    );
  },

  installer: (part) => part.installer,
  build: buildServices,
  find: async (context, part) => findProcess(context, part),
  start: startPart,
  stop: stopPart,

  async log(context, { name }, { lines, follow }) {
    const file = logFile(context, name);
    if (!existsSync(file)) throw new Error(`${name} has no log yet (instance ${context.instance}): ${file}`);
    return { file: 'tail', args: ['-n', lines, ...(follow ? ['-F'] : []), file] };
  },

  processes: async ({ paths }) => runningParts(paths.run),

  async empty({ paths }, { name }) {
    const data = join(paths.data, name);
    rmSync(data, { recursive: true, force: true });
    return data;
  },

  async remove({ paths }) {
    rmSync(paths.sockets, { recursive: true, force: true });
  },
};
