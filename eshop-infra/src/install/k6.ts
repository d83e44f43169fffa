import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { lock } from '../base/lock.ts';
import type { Step } from '../base/progress.ts';
import { runLogged } from '../base/run-logged.ts';
import { which } from '../base/which.ts';
import type { Paths } from '../context.ts';
import { assertGoNewEnough, goBinary } from './go.ts';

const VERSION = '1.8.1';
/** The release of Go that k6's module asks for. */
const OLDEST_GO_MINOR = 25;

const built = (paths: Paths) => join(paths.cache, `k6-${VERSION}-${arch()}`, 'k6');

/** The k6 of this machine: the one that was built here, else one that its user has installed. */
export function k6Binary(paths: Paths): string | undefined {
  return existsSync(built(paths)) ? built(paths) : which('k6');
}

/** Whether this machine's Go can build k6; a distribution's often is too old. */
export async function canBuildK6(): Promise<boolean> {
  const go = goBinary();
  if (!go) return false;
  return assertGoNewEnough(go, 'k6', OLDEST_GO_MINOR).then(
    () => true,
    () => false,
  );
}

/**
 * Builds k6 from its Go module, once for all clones on this machine (minutes). It is run as a program of its own and
 * handed on to nobody.
 * @throws Error saying what to do when Go is missing or too old
 */
export async function buildK6(paths: Paths, step: Step): Promise<string> {
  const binary = built(paths);
  const held = await lock(binary, {
    what: 'the build of k6',
    doing: 'building k6',
    waitMs: 1_200_000,
    onWait: () => step.note('waiting for another build of k6'),
  });
  try {
    if (existsSync(binary)) return binary;
    const go = goBinary();
    if (!go) throw new Error(`k6 is built with Go 1.${OLDEST_GO_MINOR} or newer: install it, or k6 itself, in PATH`);
    await assertGoNewEnough(go, 'k6', OLDEST_GO_MINOR);
    const target = join(binary, '..');
    const fresh = `${target}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    await runLogged({
      file: go,
      args: ['install', '-trimpath', '-ldflags', '-s -w', `go.k6.io/k6@v${VERSION}`],
      cwd: fresh,
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: fresh, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' },
      log: join(paths.logs, 'install-k6.log'),
      advice: 'Go must reach its module proxy ("go env GOPROXY"). Run the command again to go on.',
    });
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
    return binary;
  } finally {
    await held.release();
  }
}
