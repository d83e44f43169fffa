import { join } from 'node:path';
import { runLogged } from '../../base/run-logged.ts';
import type { Context } from '../../context.ts';
import { assertDocker, dockerEnvironment } from './engine.ts';
import { writeComposeSettings } from './settings.ts';

export interface ComposeOptions {
  /** Name of the log, without `.log`. */
  log: string;
  /** Files beside the system's own, in eshop-infra. */
  layers?: readonly string[];
  env?: Record<string, string>;
  advice?: string;
}

/**
 * Runs `docker compose` on the instance's project. The servers are published on this machine, since the checks, the audit
 * and the tests are outside.
 * @throws CommandFailed when it fails
 */
export async function runCompose(context: Context, args: readonly string[], options: ComposeOptions): Promise<void> {
  await assertDocker();
  const files = ['compose.yaml', 'compose.tests.yaml', ...(options.layers ?? [])];
  await runLogged({
    file: 'docker',
    args: [
      'compose',
      ...['--project-name', context.project, '--env-file', writeComposeSettings(context), '--profile', '*'],
      ...files.flatMap((file) => ['--file', join(context.paths.infra, file)]),
      ...['--ansi', 'never', '--progress', 'plain'],
      ...args,
    ],
    env: { ...dockerEnvironment(), ...options.env },
    log: join(context.paths.logs, `${options.log}.log`),
    advice: options.advice ?? '"docker version" and "docker compose version" tell whether the engine is well.',
  });
}
