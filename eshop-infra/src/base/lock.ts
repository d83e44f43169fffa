import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Who holds a lock. */
export interface LockHolder {
  pid: number;
  /** What it does, for people: `eshop up`. */
  doing: string;
}

/** Somebody else holds the lock. */
export class Locked extends Error {
  readonly holder: LockHolder | undefined;

  constructor(what: string, holder: LockHolder | undefined) {
    const who = holder ? `"${holder.doing}" (process ${holder.pid})` : 'another command';
    super(`${what} is busy: ${who} is working on it. Wait for it to end, or end it.`);
    this.name = 'Locked';
    this.holder = holder;
  }
}

export interface Lock {
  release(): Promise<void>;
}

/**
 * A lock is a socket in Linux's abstract namespace, listening under a name made from `key`: the kernel gives it to one
 * process and takes it back when that process ends, however it ends. So there are no stale locks.
 */
function address(key: string): string {
  return `\0eshop-lock-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
}

function tryLock(key: string, holder: LockHolder): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(JSON.stringify(holder)));
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address(key), () => {
      server.unref();
      resolve(server);
    });
  });
}

function whoHolds(key: string): Promise<LockHolder | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(address(key));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      try {
        resolve(JSON.parse(text) as LockHolder);
      } catch {
        resolve(undefined);
      }
    });
  });
}

export interface LockOptions {
  /** What the lock is about, for the message: `the instance "default"`. */
  what: string;
  /** What the holder does, shown to those who come second. */
  doing: string;
  /** How long to wait for another holder, in ms; default 0. */
  waitMs?: number;
  /** Told once when there is waiting to do. */
  onWait?: (holder: LockHolder | undefined) => void;
}

/** @throws Locked when somebody else holds it longer than `waitMs` */
export async function lock(key: string, { what, doing, waitMs = 0, onWait }: LockOptions): Promise<Lock> {
  const deadline = Date.now() + waitMs;
  for (let told = false; ; ) {
    const server = await tryLock(key, { pid: process.pid, doing });
    if (server) return { release: () => new Promise((resolve) => server.close(() => resolve())) };
    const holder = await whoHolds(key);
    if (Date.now() >= deadline) throw new Locked(what, holder);
    if (!told) onWait?.(holder);
    told = true;
    await pause(250);
  }
}
