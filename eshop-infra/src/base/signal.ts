import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, type ProcessMark } from './pid-file.ts';

/** Sends a signal to exactly this process; false when it is gone. */
export function signal(mark: ProcessMark, name: NodeJS.Signals): boolean {
  if (!isAlive(mark)) return false;
  try {
    process.kill(mark.pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Waits until the process has ended; false when it has not after `ms`. */
export async function ended(mark: ProcessMark, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (isAlive(mark)) {
    if (Date.now() > deadline) return false;
    await pause(30);
  }
  return true;
}

/** Asks a process to end, and kills it when it has not after the grace time. Returns how it ended. */
export async function end(mark: ProcessMark, graceMs: number): Promise<'ended' | 'killed'> {
  signal(mark, 'SIGTERM');
  if (await ended(mark, graceMs)) return 'ended';
  signal(mark, 'SIGKILL');
  await ended(mark, 10_000);
  return 'killed';
}
