import type { ChildProcess } from 'node:child_process';

/** The user pressed Ctrl-C, or the command was told to end. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted; what has been started goes on, and the next command finds it (`eshop status`, `eshop down`)');
    this.name = 'Interrupted';
  }
}

const helpers = new Set<ChildProcess>();
let interrupted = false;

/** A child that works for this command and ends with it (npm, go, maven); not the parts, which outlive it. */
export function helperStarted(child: ChildProcess): void {
  helpers.add(child);
  child.once('close', () => helpers.delete(child));
}

/** @throws Interrupted after Ctrl-C: long work calls this between its steps */
export function throwIfInterrupted(): void {
  if (interrupted) throw new Interrupted();
}

/** The first Ctrl-C ends the helpers, so that the command can clean up; the second one ends the command itself. */
export function listenForInterrupts(): void {
  const onSignal = () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    for (const child of helpers) child.kill('SIGTERM');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
}

/** For the work that must still be done after Ctrl-C: stopping what a test run has started. */
export function forgetInterrupt(): boolean {
  const was = interrupted;
  interrupted = false;
  return was;
}
