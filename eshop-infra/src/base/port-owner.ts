import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { throwIfInterrupted } from './interrupt.ts';
import { commandOf, processIds, socketInodesOf } from './proc.ts';

/** Who holds a TCP port. `pid` is absent when the process belongs to another user. */
export interface PortOwner {
  port: number;
  pid?: number;
  command?: string;
  /** `connection` = an outgoing connection got the port by chance; it goes away by itself. */
  kind: 'listener' | 'connection';
}

const LISTEN = '0A';

interface Socket {
  port: number;
  state: string;
  inode: string;
}

/** Parses /proc/net/tcp and tcp6. */
export function parseSockets(table: string): Socket[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 10)
    .map((fields) => ({
      port: Number.parseInt(fields[1]?.split(':').at(-1) ?? '', 16),
      state: fields[3] ?? '',
      inode: fields[9] ?? '',
    }));
}

function sockets(): Socket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => {
    try {
      return parseSockets(readFileSync(file, 'utf8'));
    } catch {
      return [];
    }
  });
}

/** Finds who holds a local port; undefined when nobody does. */
export function portOwner(port: number): PortOwner | undefined {
  const here = sockets().filter((socket) => socket.port === port);
  const found = here.find((socket) => socket.state === LISTEN) ?? here[0];
  if (!found) return undefined;
  const kind = found.state === LISTEN ? 'listener' : 'connection';
  if (found.inode !== '0') {
    for (const pid of processIds()) {
      if (socketInodesOf(pid).has(found.inode)) return { port, pid, command: commandOf(pid), kind };
    }
  }
  return { port, kind };
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A port that something else holds. */
export class PortTaken extends Error {
  constructor(port: number, part: string, variable: string, owner: PortOwner | undefined) {
    const process = owner?.pid
      ? `process ${owner.pid} (${(owner.command ?? '').slice(0, 120)})`
      : 'a process that this user cannot see';
    const who = owner?.kind === 'connection' ? `an outgoing connection of ${process}` : process;
    super(`port ${port}, which ${part} needs, is taken by ${who}. End it, or choose another port with ${variable}=…`);
    this.name = 'PortTaken';
  }
}

/** A killed server's listener goes when its last thread has ended. */
const KILLED_MS = 8_000;
/** Linux keeps a port for 60 s after its connection has ended. */
const CONNECTION_MS = 75_000;

/**
 * Makes sure that a port can be had. What goes away by itself is waited for: a listener without a process, and, told of by `note`,
 * an outgoing connection that got the port by chance, which happens to those of DTM. A listener of a process is named at once.
 * @throws PortTaken
 */
export async function assertPortFree(
  port: number,
  part: string,
  variable: string,
  note: (text: string) => void = () => undefined,
): Promise<void> {
  const began = Date.now();
  while (!(await canListen(port))) {
    throwIfInterrupted();
    const owner = portOwner(port);
    const connection = owner?.kind === 'connection';
    const stays = owner?.kind === 'listener' && owner.pid !== undefined;
    if (stays || Date.now() - began > (connection ? CONNECTION_MS : KILLED_MS)) {
      throw new PortTaken(port, part, variable, owner);
    }
    if (connection) note(`waiting for port ${port}, which an outgoing connection has got; it may take a minute`);
    await pause(200);
  }
}
