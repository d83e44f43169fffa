import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Context } from '../context.ts';
import { kustomize } from '../install/kustomize.ts';

const run = promisify(execFile);

/**
 * What a kustomize directory stands for, as YAML.
 * @throws Error with the renderer's words
 */
export async function render(context: Pick<Context, 'paths'>, directory: string): Promise<string> {
  const { file, args } = await kustomize(context);
  const { stdout } = await run(file, [...args, directory], { maxBuffer: 32 * 1024 * 1024 });
  return stdout;
}
