import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from '../base/lock.ts';
import { runLogged } from '../base/run-logged.ts';
import type { Context } from '../context.ts';
import type { Installer } from '../parts/part.ts';
import { npmEnvironment } from './npm.ts';

/** Verdaccio's place in the cache: another lock file gives another place. */
export function verdaccioDirectory({ paths }: Context): string {
  const file = readFileSync(join(paths.infra, 'stack/verdaccio/package-lock.json'));
  return join(paths.cache, `verdaccio-6.10.4-${createHash('sha256').update(file).digest('hex').slice(0, 10)}`);
}

export const verdaccioInstaller: Installer = {
  title: 'installing Verdaccio 6.10.4 (once a machine)',
  isDone: (context) => existsSync(verdaccioDirectory(context)),
  async run(context, step) {
    const target = verdaccioDirectory(context);
    const held = await lock(target, {
      what: 'the installation of Verdaccio',
      doing: 'installing Verdaccio',
      waitMs: 600_000,
      onWait: () => step.note('waiting for another installation of it'),
    });
    try {
      if (existsSync(target)) return;
      const fresh = `${target}.new`;
      rmSync(fresh, { recursive: true, force: true });
      mkdirSync(fresh, { recursive: true });
      for (const file of ['package.json', 'package-lock.json']) {
        copyFileSync(join(context.paths.infra, 'stack/verdaccio', file), join(fresh, file));
      }
      await runLogged({
        file: 'npm',
        args: ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--no-update-notifier'],
        cwd: fresh,
        env: npmEnvironment(),
        log: join(context.paths.logs, 'install-verdaccio.log'),
        advice: 'npm must reach its registry ("npm config get registry").',
      });
      renameSync(fresh, target);
    } finally {
      await held.release();
    }
  },
};
