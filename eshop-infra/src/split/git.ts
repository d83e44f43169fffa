import { spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';

export interface GitOptions {
  /** Fed to its standard input. */
  input?: string | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A git command that failed; the message has its words. */
export class GitFailed extends Error {}

/** Variables like GIT_DIR, which a hook sets, would lead git to another repository. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)$/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' };
}

async function run(directory: string, args: readonly string[], input?: GitOptions['input']): Promise<Buffer> {
  const child = spawn('git', ['-C', directory, ...args], {
    env: environment(),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const output = buffer(child.stdout as NodeJS.ReadableStream);
  const words = text(child.stderr as NodeJS.ReadableStream);
  if (input !== undefined) {
    // git that ends early says why itself; the broken pipe adds nothing
    child.stdin?.on('error', () => {});
    if (typeof input === 'string') child.stdin?.write(input);
    else for await (const chunk of input) child.stdin?.write(chunk);
    child.stdin?.end();
  }
  const code = await ended;
  if (code !== 0) throw new GitFailed(`git ${args.join(' ').slice(0, 120)}: ${(await words).trim() || `exit ${code}`}`);
  return output;
}

/** What git prints, without the last line's end. */
export async function git(directory: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await run(directory, args, options.input)).toString('utf8').replace(/\n$/, '');
}

/** The same in bytes, as commits may be in any encoding. */
export function gitBytes(directory: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  return run(directory, args, options.input);
}
