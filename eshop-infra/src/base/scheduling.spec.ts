import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { asBatch, withLazyTimers } from './scheduling.ts';

/** SCHED_BATCH of sched(7). */
const BATCH = 3;

/** Field 41 of proc_pid_stat(5). */
function policyOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3]);
}

it('schedules a process as batch work', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  try {
    expect(await asBatch(child.pid as number)).toBe(true);
    expect(policyOf(child.pid as number)).toBe(BATCH);
  } finally {
    child.kill('SIGKILL');
  }
});

it('tells when a process cannot be scheduled, as one that is gone', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  expect(await asBatch(child.pid as number)).toBe(false);
});

it('starts a command with lazy timers and its arguments', () => {
  const { file, args } = withLazyTimers('/bin/cat', ['/proc/self/timerslack_ns']);
  expect(execFileSync(file, args, { encoding: 'utf8' })).toBe('1000000\n');
});
