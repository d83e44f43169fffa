import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type Memory, memoryOf, startTimeOf } from '../base/proc.ts';

/** Linux gives user space its times in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

export interface MeasuredProcess {
  name: string;
  pid: number;
}

export interface CpuUsage extends Memory {
  name: string;
  /** Processor time over the run, user and system, in seconds; null when the process ended or was started anew. */
  cpuSeconds: number | null;
}

/** User and system time from the text of /proc/<pid>/stat, in seconds. */
export function cpuSecondsFrom(stat: string): number {
  // The second field is the command in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Processor time that a process has used so far, in seconds; undefined when there is none. */
export function cpuSecondsOf(pid: number): number | undefined {
  try {
    return cpuSecondsFrom(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

interface Reading {
  process: MeasuredProcess;
  startTime: number | undefined;
  cpuSeconds: number | undefined;
}

/** Measures what processes and the whole machine use from its making on. */
export class CpuMeter {
  readonly #readings: Reading[];
  readonly #machine = machineTimes();

  constructor(processes: readonly MeasuredProcess[]) {
    this.#readings = processes.map((process) => ({
      process,
      startTime: startTimeOf(process.pid),
      cpuSeconds: cpuSecondsOf(process.pid),
    }));
  }

  usage(): CpuUsage[] {
    return this.#readings.map(({ process: { name, pid }, startTime, cpuSeconds }) => {
      const now = cpuSecondsOf(pid);
      const same = startTime !== undefined && startTime === startTimeOf(pid);
      const used = same && now !== undefined && cpuSeconds !== undefined ? now - cpuSeconds : null;
      return { name, cpuSeconds: used, ...memoryOf(pid) };
    });
  }

  /** Share of all processors that was busy, with whatever, from 0 to 1. */
  busy(): number {
    const { busy, total } = machineTimes();
    return total > this.#machine.total ? (busy - this.#machine.busy) / (total - this.#machine.total) : 0;
  }
}

function machineTimes(): { busy: number; total: number } {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const used = times.user + times.nice + times.sys + times.irq;
    busy += used;
    total += used + times.idle;
  }
  return { busy, total };
}
