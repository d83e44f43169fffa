import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { helperStarted, throwIfInterrupted } from './interrupt.ts';

export interface LoggedCommand {
  file: string;
  args: readonly string[];
  /** The file that gets the whole output; it is begun anew. */
  log: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Ms after which it is told to end; it counts as failed then. */
  limitMs?: number;
  /** What to do when it fails, for people. */
  advice?: string;
}

/** A command that ended with an error; the message names its log and shows its last lines. */
export class CommandFailed extends Error {
  readonly exitCode: number;
  readonly log: string;

  constructor(command: LoggedCommand, exitCode: number, reason?: string) {
    const shown = [command.file, ...command.args].join(' ');
    const lines = [
      `${shown.length > 160 ? `${shown.slice(0, 160)}…` : shown} failed (${reason ?? `exit ${exitCode}`})`,
      ...tellingLines(command.log, 12).map((line) => `  | ${line.slice(0, 300)}`),
      `The whole output: ${command.log}`,
    ];
    if (command.advice) lines.push(command.advice);
    super(lines.join('\n'));
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
    this.log = command.log;
  }
}

/** The last lines of a text file that are not empty. */
export function lastLines(file: string, count: number): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count);
  } catch {
    return [];
  }
}

/** The lines that speak of an error, from the first one on; the last lines when none does. */
function tellingLines(file: string, count: number): string[] {
  const lines = lastLines(file, 100_000);
  const errors = lines.filter((line) => /\berror\b/i.test(line));
  return errors.length > 0 ? errors.slice(0, count) : lines.slice(-count);
}

/** Runs a command to its end with all output in a log; returns the exit code. */
export async function runToLog(command: LoggedCommand): Promise<number> {
  throwIfInterrupted();
  mkdirSync(dirname(command.log), { recursive: true });
  const log = openSync(command.log, 'w', 0o600);
  writeSync(log, `$ ${[command.file, ...command.args].join(' ')}\n`);
  try {
    return await new Promise<number>((resolve, reject) => {
      const child = spawn(command.file, command.args, {
        cwd: command.cwd,
        env: command.env ?? process.env,
        stdio: ['ignore', log, log],
      });
      helperStarted(child);
      const limit = command.limitMs === undefined ? undefined : setTimeout(() => child.kill(), command.limitMs);
      child.once('error', (error) => reject(new CommandFailed(command, -1, error.message)));
      child.once('close', (code, signalName) => {
        clearTimeout(limit);
        resolve(code ?? (signalName === null ? 1 : 128));
      });
    });
  } finally {
    closeSync(log);
  }
}

/** @throws CommandFailed when it ends with anything but 0 */
export async function runLogged(command: LoggedCommand): Promise<void> {
  const code = await runToLog(command);
  throwIfInterrupted();
  if (code !== 0) throw new CommandFailed(command, code);
}
