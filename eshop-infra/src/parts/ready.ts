import { join } from 'node:path';
import { throwIfInterrupted } from '../base/interrupt.ts';
import { assertPortFree } from '../base/port-owner.ts';
import type { Step } from '../base/progress.ts';
import { lastLines } from '../base/run-logged.ts';
import { waitFor } from '../base/wait.ts';
import type { Context } from '../context.ts';
import { portVariable } from '../ports.ts';
import { assertNeedsRun } from './needs.ts';
import type { Part } from './part.ts';

export function logFile(context: Context, part: string): string {
  return join(context.paths.logs, `${part}.log`);
}

/** A part that did not come up; the message shows the end of its log and names it. */
export class PartFailed extends Error {
  constructor(context: Context, part: Part, reason: string, cause?: unknown) {
    const log = logFile(context, part.name);
    const lines = lastLines(log, 12).map((line) => `  | ${line.slice(0, 400)}`);
    super([`${part.name}: ${reason}`, ...lines, `The whole log: ${log}`].join('\n'), { cause });
    this.name = 'PartFailed';
  }
}

/** @throws PortTaken when something else has one of the part's ports, and does not give it up */
export async function assertPortsFree(context: Context, part: Part, step: Step): Promise<void> {
  for (const port of part.ports) {
    await assertPortFree(context.ports[port], part.name, portVariable(port), (text) => step.note(text));
  }
}

/** Whether what was started still runs, and what is left to do when the part does not come up. */
export interface Started {
  isAlive(): boolean | Promise<boolean>;
  /** Before the failure is told; `dead` when it has ended by itself. */
  failed?(dead: boolean): void | Promise<void>;
  /** Between two looks, in ms. */
  everyMs?: number;
}

/** @throws PartFailed when the part has ended, what it needs has, or it does not do its work in its time */
export async function untilReady(context: Context, part: Part, started: Started): Promise<void> {
  let dead = false;
  try {
    await waitFor(`${part.name} answers`, () => part.check(context), {
      timeoutMs: part.readyMs,
      everyMs: started.everyMs,
      giveUp: async () => {
        throwIfInterrupted();
        dead = !(await started.isAlive());
        if (dead) throw new Error('it ended by itself');
        await assertNeedsRun(context, [part]);
      },
    });
  } catch (error) {
    throwIfInterrupted();
    const message = error instanceof Error ? error.message : String(error);
    await started.failed?.(dead);
    throw new PartFailed(context, part, message, error);
  }
}
