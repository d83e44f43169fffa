import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { throwIfInterrupted } from '../base/interrupt.ts';
import { isAlive, markOf, removeMark, writeMark } from '../base/pid-file.ts';
import { portOwner } from '../base/port-owner.ts';
import { processWithVariable, startTimeOf, workingDirectoryOf } from '../base/proc.ts';
import type { Step } from '../base/progress.ts';
import { asBatch } from '../base/scheduling.ts';
import { end, ended, signal } from '../base/signal.ts';
import type { Context } from '../context.ts';
import type { Part, PartCommand } from './part.ts';
import { assertPortsFree, logFile, PartFailed, untilReady } from './ready.ts';
import { markFile, type PartMark, readPartMark } from './running.ts';

/** Each process carries it, so that one whose file was lost (the command killed between start and note) is found again. */
const PART_VARIABLE = 'ESHOP_PART';
const LOG_LIMIT_BYTES = 50 * 1024 * 1024;

function identity(context: Context, part: Part): string {
  return `${context.paths.run}/${part.name}`;
}

function versionOf(command: PartCommand): string {
  return createHash('sha256').update(JSON.stringify(command)).digest('hex').slice(0, 16);
}

/** The part's process, also when its file was lost. */
export function findProcess(context: Context, part: Part): PartMark | undefined {
  const mark = readPartMark(context.paths.run, part.name);
  if (mark) return mark;
  if (!existsSync(context.paths.run)) return undefined;
  const pid = processWithVariable(PART_VARIABLE, identity(context, part)) ?? listenerOf(context, part);
  const startTime = pid === undefined ? undefined : startTimeOf(pid);
  if (pid === undefined || startTime === undefined) return undefined;
  const adopted: PartMark = { pid, startTime, version: '' };
  writeMark(markFile(context.paths.run, part.name), adopted);
  return adopted;
}

/** For programs that overwrite their environment (Redis): who listens on the part's port and works in its directories. */
function listenerOf(context: Context, part: Part): number | undefined {
  const port = part.ports[0];
  const owner = port === undefined ? undefined : portOwner(context.ports[port]);
  if (owner?.pid === undefined || owner.kind !== 'listener') return undefined;
  return workingDirectoryOf(owner.pid)?.startsWith(`${context.paths.state}/`) ? owner.pid : undefined;
}

function openLog(file: string): number {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  if (existsSync(file) && statSync(file).size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

function launch(context: Context, part: Part, command: PartCommand): PartMark {
  const log = openLog(logFile(context, part.name));
  writeSync(log, `--- ${new Date().toISOString()} started by eshop\n`);
  try {
    const child = spawn(command.file, command.args, {
      argv0: command.argv0,
      cwd: command.cwd ?? context.paths.run,
      env: { ...inherited(), ...command.env, [PART_VARIABLE]: identity(context, part) },
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.once('error', () => {});
    if (child.pid === undefined) throw new Error(`${command.file} cannot be started; is it there and executable?`);
    child.unref();
    // Fifteen parts on two processors spend a tenth less time for the same orders.
    void asBatch(child.pid);
    const mark: PartMark = { ...markOf(child.pid), version: versionOf(command) };
    writeMark(markFile(context.paths.run, part.name), mark);
    return mark;
  } finally {
    closeSync(log);
  }
}

/** The environment without what would configure a server by accident (HTTP_PORT, DTM_…) or belongs to npm. */
function inherited(): NodeJS.ProcessEnv {
  const kept = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|JAVA_HOME|SSL_CERT_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)));
}

function untilItAnswers(context: Context, part: Part, mark: PartMark): Promise<void> {
  return untilReady(context, part, {
    isAlive: () => isAlive(mark),
    failed(dead) {
      if (dead) removeMark(markFile(context.paths.run, part.name));
    },
  });
}

/** Starts a part and waits until it works; a part that already runs as it should is only checked. */
export async function startPart(context: Context, part: Part, step: Step): Promise<void> {
  throwIfInterrupted();
  await part.prepare?.(context, step);
  const command = part.command(context);
  const present = findProcess(context, part);
  if (present && (present.version === versionOf(command) || present.version === '')) {
    step.note('checking');
    await untilItAnswers(context, part, present);
    step.result('already running');
    return;
  }
  if (present) {
    step.note('restarting: its settings or its code have changed');
    await stopPart(context, part, step);
  }
  await assertPortsFree(context, part, step);
  step.note('starting');
  const mark = launch(context, part, command);
  await untilItAnswers(context, part, mark);
  step.result(present ? 'restarted' : 'started');
}

/** Ends a part: asked first, killed after its grace time; or by one given signal. Returns false when it did not run. */
export async function stopPart(
  context: Context,
  part: Part,
  step: Step,
  signalName?: NodeJS.Signals,
): Promise<boolean> {
  const mark = findProcess(context, part);
  if (!mark) {
    step.result('was not running');
    return false;
  }
  if (signalName && signalName !== 'SIGTERM') {
    signal(mark, signalName);
    if (signalName === 'SIGSTOP' || signalName === 'SIGCONT') {
      step.result(`got ${signalName}`);
      return true;
    }
    await ended(mark, part.graceMs);
    if (isAlive(mark)) throw new PartFailed(context, part, `still runs ${part.graceMs / 1000} s after ${signalName}`);
    step.result(`ended by ${signalName}`);
  } else {
    const how = await end(mark, part.graceMs);
    step.result(how === 'ended' ? 'stopped' : `killed, since it had not ended after ${part.graceMs / 1000} s`);
  }
  removeMark(markFile(context.paths.run, part.name));
  return true;
}
