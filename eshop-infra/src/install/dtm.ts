import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { capture } from '../base/capture.ts';
import { lock } from '../base/lock.ts';
import type { Step } from '../base/progress.ts';
import { runLogged } from '../base/run-logged.ts';
import type { Context } from '../context.ts';
import type { Installer } from '../parts/part.ts';
import { assertGoNewEnough, goBinary } from './go.ts';

const VERSION = '1.18.0';
/** The release of Go that DTM's module asks for. */
const OLDEST_GO_MINOR = 18;

/** The binary's place in the cache: another go.mod or go.sum gives another place. */
export function dtmBinary({ paths }: Context): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(paths.infra, 'stack/dtm', file)));
  return join(paths.cache, `dtm-${VERSION}-${arch()}-${hash.digest('hex').slice(0, 10)}`, 'dtm');
}

/** Builds DTM from its Go module, once for all clones on this machine (minutes). */
async function install(context: Context, step: Step): Promise<void> {
  const binary = dtmBinary(context);
  if (existsSync(binary)) return;
  const held = await lock(binary, {
    what: 'the build of DTM',
    doing: 'building DTM',
    waitMs: 1_200_000,
    onWait: () => step.note('waiting for another build of DTM'),
  });
  try {
    if (existsSync(binary)) return;
    const go = goBinary();
    if (!go) throw new Error('Go is not installed');
    await assertGoNewEnough(go, 'DTM', OLDEST_GO_MINOR);
    const target = join(binary, '..');
    const fresh = `${target}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    const source = join(context.paths.infra, 'stack/dtm');
    for (const file of readdirSync(source)) copyFileSync(join(source, file), join(fresh, file));
    const env = {
      ...process.env,
      CGO_ENABLED: '0',
      GO111MODULE: 'on',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      GOFLAGS: '-mod=readonly',
    };
    const advice =
      'Go must reach its module proxy ("go env GOPROXY"). Run the command again to go on where the download broke off.';
    const log = (name: string) => join(context.paths.logs, `install-dtm-${name}.log`);
    await runLogged({
      file: go,
      args: [
        'build',
        '-trimpath',
        '-ldflags',
        `-s -w -X main.Version=v${VERSION}`,
        '-o',
        join(fresh, 'dtm'),
        'github.com/dtm-labs/dtm',
      ],
      cwd: fresh,
      env,
      log: log('build'),
      advice,
    });
    if (!(await capture(join(fresh, 'dtm'), ['-v']))?.includes(VERSION)) {
      throw new Error(`the DTM that was built does not say that it is ${VERSION}: ${join(fresh, 'dtm')} -v`);
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    await held.release();
  }
}

export const dtmInstaller: Installer = {
  title: 'building DTM 1.18.0 (some minutes, once a machine)',
  isDone: (context) => existsSync(dtmBinary(context)),
  run: install,
};
