import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { lock } from '../base/lock.ts';
import { runLogged } from '../base/run-logged.ts';
import { which } from '../base/which.ts';
import type { Context } from '../context.ts';
import { goAtLeast, goBinary } from './go.ts';

/** The release of Go that kustomize's module asks for. */
const OLDEST_GO_MINOR = 22;

/** A program that renders a kustomize directory; the directory is its last argument. */
export interface Renderer {
  file: string;
  args: readonly string[];
}

/** The built binary's place in the cache: another go.mod or go.sum gives another place. */
function builtBinary({ paths }: Pick<Context, 'paths'>): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(paths.infra, 'stack/kustomize', file)));
  return join(paths.cache, `kustomize-${arch()}-${hash.digest('hex').slice(0, 10)}`, 'kustomize');
}

async function build({ paths }: Pick<Context, 'paths'>, binary: string): Promise<void> {
  const held = await lock(binary, { what: 'the build of kustomize', doing: 'building kustomize', waitMs: 900_000 });
  try {
    if (existsSync(binary)) return;
    const installed = goBinary();
    if (!installed) throw new Error('rendering needs kustomize, kubectl, or Go to build kustomize with');
    const go = await goAtLeast(installed, OLDEST_GO_MINOR);
    const target = join(binary, '..');
    const fresh = `${target}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    const source = join(paths.infra, 'stack/kustomize');
    for (const file of readdirSync(source)) copyFileSync(join(source, file), join(fresh, file));
    await runLogged({
      file: go,
      args: ['build', '-trimpath', '-o', join(fresh, 'kustomize'), 'sigs.k8s.io/kustomize/kustomize/v5'],
      cwd: fresh,
      env: { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'on', GOWORK: 'off', GOFLAGS: '-mod=readonly' },
      log: join(paths.cache, 'logs', 'install-kustomize.log'),
      advice: 'Go must reach its module proxy ("go env GOPROXY").',
    });
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    await held.release();
  }
}

/** kustomize, or the one in kubectl; where neither is installed, it is built by Go, once a machine (a minute). */
export async function kustomize(context: Pick<Context, 'paths'>): Promise<Renderer> {
  const installed = which('kustomize');
  if (installed) return { file: installed, args: ['build'] };
  const kubectl = which('kubectl');
  if (kubectl) return { file: kubectl, args: ['kustomize'] };
  const binary = builtBinary(context);
  if (!existsSync(binary)) await build(context, binary);
  return { file: binary, args: ['build'] };
}
