import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessMark, readMark } from '../base/pid-file.ts';

/** A started part: the process, and a hash of what it was started with. */
export interface PartMark extends ProcessMark {
  version: string;
}

export function markFile(run: string, part: string): string {
  return join(run, `${part}.pid`);
}

export function readPartMark(run: string, part: string): PartMark | undefined {
  return readMark(markFile(run, part)) as PartMark | undefined;
}

/** The parts whose process lives. */
export function runningParts(run: string): { name: string; pid: number }[] {
  let files: string[];
  try {
    files = readdirSync(run);
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.pid'))
    .map((file) => file.slice(0, -'.pid'.length))
    .flatMap((name) => {
      const mark = readPartMark(run, name);
      return mark ? [{ name, pid: mark.pid }] : [];
    });
}
