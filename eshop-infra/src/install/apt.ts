import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../base/capture.ts';
import { lock } from '../base/lock.ts';
import type { Step } from '../base/progress.ts';
import { runLogged } from '../base/run-logged.ts';
import { which } from '../base/which.ts';

/** A package of the distribution. Where it bears its version in the name, `pattern` finds it (a regular expression). */
export interface AptPackage {
  name: string;
  pattern?: string;
}

async function known(name: string): Promise<boolean> {
  return (await capture('apt-cache', ['show', '--no-all-versions', name]))?.includes('Package:') ?? false;
}

async function resolveName({ name, pattern }: AptPackage): Promise<string> {
  if (await known(name)) return name;
  if (pattern) {
    const found = (await capture('apt-cache', ['search', '--names-only', pattern])) ?? '';
    const names = found
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '')
      .filter(Boolean)
      .sort();
    const newest = names.at(-1);
    if (newest) return newest;
  }
  throw new Error(`the distribution has no package ${name}; install it by hand and run the command again`);
}

/**
 * Installs packages of the distribution, without the ones it merely recommends.
 * @throws Error saying what to do when this is no Debian or Ubuntu, or when there is neither root nor sudo
 */
export async function aptInstall(packages: readonly AptPackage[], logs: string, step: Step): Promise<void> {
  const names = packages.map((one) => one.name).join(' ');
  const apt = which('apt-get');
  if (!apt) throw new Error(`${names} must be installed, and there is no apt-get here: install them by hand`);
  const root = process.getuid?.() === 0;
  const sudo = root ? undefined : which('sudo');
  if (!root && !sudo) throw new Error(`${names} must be installed: run "apt-get install ${names}" as root, then again`);
  const held = await lock('apt', { what: 'apt-get', doing: 'apt-get install', waitMs: 900_000 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const run = (name: string, file: string, args: string[]) => {
      const command = sudo ? [sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', file, ...args] : [file, ...args];
      return runLogged({
        file: command[0] ?? file,
        args: command.slice(1),
        log: join(logs, `install-${name}.log`),
        env,
        advice: `Mend what it says (another apt running? no network?), then run the command again.`,
      });
    };
    const updates = '/var/lib/dpkg/updates';
    if (existsSync(updates) && readdirSync(updates).length > 0) {
      step.note('finishing an installation that was broken off');
      await run('dpkg', 'dpkg', ['--configure', '-a']);
    }
    step.note('apt-get update');
    await run('apt-update', apt, ['update', '-q']);
    const resolved: string[] = [];
    for (const one of packages) resolved.push(await resolveName(one));
    step.note(`apt-get install ${resolved.join(' ')}`);
    await run('apt', apt, [
      'install',
      '-y',
      '-q',
      '--no-install-recommends',
      '-o',
      'DPkg::Lock::Timeout=300',
      ...resolved,
    ]);
    step.result(resolved.join(', '));
  } finally {
    await held.release();
  }
}
