import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../../base/progress.ts';
import type { Context } from '../../context.ts';
import { hostRegistry, registryUrl } from '../../install/npm.ts';
import { installationHash } from '../../packages/prepare.ts';
import { forEachService, registryClient } from '../../packages/publish-all.ts';
import { runCompose } from './compose.ts';

/** The build's secret: the instance's registry for our own packages, and the user's registries with their tokens. */
async function writeNpmrc(context: Context): Promise<void> {
  const own = join(homedir(), '.npmrc');
  const users = existsSync(own) ? readFileSync(own, 'utf8').split('\n') : [];
  const lines = [
    ...users.filter((line) => /^(@[\w.-]+:registry|\/\/\S+)\s*=/.test(line) && !line.startsWith('@eshop:')),
    `registry=${await hostRegistry()}`,
    `@eshop:registry=${registryUrl(context)}/`,
  ];
  writeFileSync(join(context.paths.run, 'npmrc'), `${lines.join('\n')}\n`, { mode: 0o600 });
}

/** Builds the services' images; Docker itself builds only what has changed. */
export async function buildImages(context: Context, progress: Progress, names?: readonly string[]): Promise<void> {
  await writeNpmrc(context);
  const registry = registryClient(context);
  await forEachService(context, names, async (repository) => {
    await progress.step(`image of eshop-${repository.name}`, async (step) => {
      step.note('docker compose build');
      await runCompose(context, ['build', repository.name], {
        log: `build-image-${repository.name}`,
        layers: ['compose.build.yaml'],
        // a package's content can change without its version only while it is being worked on, in one's own registry
        env: { ESHOP_PACKAGES: await installationHash(repository, registry) },
        advice: `Mend what the log tells; the Dockerfile is in ${repository.directory}.`,
      });
    });
  });
}
