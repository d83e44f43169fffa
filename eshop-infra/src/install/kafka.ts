import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from '../base/lock.ts';
import type { Step } from '../base/progress.ts';
import { runLogged } from '../base/run-logged.ts';
import { which } from '../base/which.ts';
import type { Context } from '../context.ts';
import type { Installer } from '../parts/part.ts';

/** The directory of Kafka's jars in the cache: another pom gives another place. */
export function kafkaJars({ paths }: Context): string {
  const pom = readFileSync(join(paths.infra, 'stack/kafka/pom.xml'));
  return join(paths.cache, `kafka-3.9.1-${createHash('sha256').update(pom).digest('hex').slice(0, 10)}`);
}

/** Fetches Kafka and what it needs from Maven Central, once for all clones on this machine (46 MB). */
async function install(context: Context, step: Step): Promise<void> {
  const jars = kafkaJars(context);
  if (existsSync(jars)) return;
  const held = await lock(jars, {
    what: 'the download of Kafka',
    doing: 'downloading Kafka',
    waitMs: 1_200_000,
    onWait: () => step.note('waiting for another download of Kafka'),
  });
  try {
    if (existsSync(jars)) return;
    const fresh = `${jars}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    await runLogged({
      file: which('mvn') ?? 'mvn',
      args: [
        '--batch-mode',
        '--no-transfer-progress',
        '--file',
        join(context.paths.infra, 'stack/kafka/pom.xml'),
        'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
        `-DoutputDirectory=${fresh}`,
        '-DincludeScope=runtime',
      ],
      log: join(context.paths.logs, 'install-kafka.log'),
      advice: 'Maven must reach Maven Central (settings in ~/.m2/settings.xml). Run the command again to go on.',
    });
    renameSync(fresh, jars);
  } finally {
    await held.release();
  }
}

export const kafkaInstaller: Installer = {
  title: 'downloading Kafka 3.9.1 (once a machine)',
  isDone: (context) => existsSync(kafkaJars(context)),
  run: install,
};
