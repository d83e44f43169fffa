import { execFile } from 'node:child_process';

const SLACK_NS = 1_000_000;
const START = `{ echo ${SLACK_NS} >/proc/self/timerslack_ns; } 2>/dev/null; exec "$0" "$@"`;

/**
 * Tells Linux that a process works rather than waits for a person: when it wakes up it does not push another off its processor, and
 * finds more to do when its turn comes. Where there is no `chrt` (util-linux) the process runs as it is; false then.
 */
export function asBatch(pid: number): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('chrt', ['--batch', '--all-tasks', '--pid', '0', String(pid)], (error) => resolve(!error));
  });
}

/** A command whose timers may be a millisecond late, so that it wakes up less often. Where this cannot be set it runs without. */
export function withLazyTimers(file: string, args: readonly string[] = []): { file: string; args: readonly string[] } {
  return { file: '/bin/sh', args: ['-c', START, file, ...args] };
}
