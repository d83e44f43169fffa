import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { startTimeOf } from './proc.ts';

/** One process: the id alone is not enough, since the system uses ids again. */
export interface ProcessMark {
  pid: number;
  startTime: number;
}

/** @throws Error when the process is already gone */
export function markOf(pid: number): ProcessMark {
  const startTime = startTimeOf(pid);
  if (startTime === undefined) throw new Error(`process ${pid} ended at once`);
  return { pid, startTime };
}

export function isAlive(mark: ProcessMark): boolean {
  return startTimeOf(mark.pid) === mark.startTime;
}

export function writeMark(file: string, mark: ProcessMark): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(mark));
  renameSync(temporary, file);
}

/** The process of the file, if that very process still lives; never another one that got its id. */
export function readMark(file: string): ProcessMark | undefined {
  let mark: ProcessMark;
  try {
    mark = JSON.parse(readFileSync(file, 'utf8')) as ProcessMark;
  } catch {
    return undefined;
  }
  if (!Number.isInteger(mark.pid) || !Number.isInteger(mark.startTime)) return undefined;
  return isAlive(mark) ? mark : undefined;
}

export function removeMark(file: string): void {
  rmSync(file, { force: true });
}
