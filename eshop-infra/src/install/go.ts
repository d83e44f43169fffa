import { chmodSync, globSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture } from '../base/capture.ts';
import { which } from '../base/which.ts';

/** The Go that is fetched where the installed one is too old. */
const TOOLCHAIN = 'go1.24.9';

export const goBinary = () => which('go');

/** The release of Go 1 that a program is; undefined when it does not say. */
async function minorOf(go: string): Promise<number | undefined> {
  const version = await capture(go, ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const found = /go1\.(\d+)/.exec(version ?? '');
  return found ? Number(found[1]) : undefined;
}

/**
 * The installed Go, or where it is older, a newer one of its makers, which the module proxy has as a module and any Go can
 * download (a distribution's Go often is years old).
 * @throws Error when the toolchain cannot be had
 */
export async function goAtLeast(go: string, oldestMinor: number): Promise<string> {
  if (((await minorOf(go)) ?? 0) >= oldestMinor) return go;
  const toolchain = `golang.org/toolchain@v0.0.1-${TOOLCHAIN}.linux-${arch() === 'arm64' ? 'arm64' : 'amd64'}`;
  const answer = await capture(go, ['mod', 'download', '-json', toolchain], {
    env: { ...process.env, GOTOOLCHAIN: 'local', GO111MODULE: 'on', GOWORK: 'off', GOFLAGS: '-mod=mod' },
    cwd: tmpdir(),
  });
  const directory = answer && (JSON.parse(answer) as { Dir?: string }).Dir;
  if (!directory) {
    throw new Error(`${go} is too old and cannot download ${toolchain}: install Go 1.${oldestMinor} or newer`);
  }
  // a module's files are not executable
  for (const file of globSync(['bin/*', 'pkg/tool/*/*'], { cwd: directory })) chmodSync(join(directory, file), 0o555);
  return join(directory, 'bin/go');
}

/**
 * @param what is to be built, for the message
 * @param oldestMinor the release of Go 1 that its module asks for at least
 * @throws Error when the installed Go is too old
 */
export async function assertGoNewEnough(go: string, what: string, oldestMinor: number): Promise<void> {
  const minor = await minorOf(go);
  if (minor === undefined) throw new Error(`${go} does not say its version`);
  if (minor < oldestMinor) {
    throw new Error(
      `${go} is Go 1.${minor}; ${what} needs Go 1.${oldestMinor} or newer: install it and put it first in PATH`,
    );
  }
}
