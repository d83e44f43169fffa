import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** When a process began, in clock ticks since boot: with the process id it names one process for ever. Undefined = none. */
export function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the second field is the command in brackets and may itself hold spaces and brackets
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return Number(fields[19]);
  } catch {
    return undefined;
  }
}

/** The program and its arguments as one line, for people. */
export function commandOf(pid: number): string {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return line || readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** What a process holds in memory, in bytes. */
export interface Memory {
  /** All its pages (RSS), also those that other processes have too: each service counts the Node binary in full. */
  residentBytes: number;
  /** Its own pages and its part of those it shares (PSS): the sum over all processes is what they take of the machine. */
  ownBytes: number;
}

/** Zeros when there is no such process, or it is another user's. */
export function memoryOf(pid: number | undefined): Memory {
  let rollup = '';
  try {
    rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    // gone, or another user's
  }
  const bytes = (field: 'Rss' | 'Pss') =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
  return { residentBytes: bytes('Rss'), ownBytes: bytes('Pss') };
}

export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The process that was started with this variable in its environment (only own processes can be seen). */
export function processWithVariable(name: string, value: string): number | undefined {
  const wanted = `${name}=${value}`;
  for (const pid of processIds()) {
    if (pid === process.pid || startTimeOf(pid) === undefined) continue;
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(wanted)) return pid;
    } catch {
      // another user's process, or one that just ended
    }
  }
  return undefined;
}

/** The directory a process works in; undefined when it is gone or another user's. */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** The inodes of the sockets a process holds. */
export function socketInodesOf(pid: number): Set<string> {
  const inodes = new Set<string>();
  try {
    for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
        if (inode) inodes.add(inode);
      } catch {
        // closed meanwhile
      }
    }
  } catch {
    // another user's process, or gone
  }
  return inodes;
}
