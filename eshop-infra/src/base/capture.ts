import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a short command prints, or undefined when it cannot be run or fails. */
export async function capture(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; argv0?: string } = {},
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(file, args, { ...options, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 });
    return `${stdout}${stdout ? '' : stderr}`.trim();
  } catch {
    return undefined;
  }
}
