import { capture } from '../base/capture.ts';
import { which } from '../base/which.ts';

export const goBinary = () => which('go');

/**
 * @param what is to be built, for the message
 * @param oldestMinor the release of Go 1 that its module asks for at least
 * @throws Error when the installed Go is too old
 */
export async function assertGoNewEnough(go: string, what: string, oldestMinor: number): Promise<void> {
  const version = await capture(go, ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const found = /go(\d+)\.(\d+)/.exec(version ?? '');
  if (!found) throw new Error(`${go} does not say its version: ${version ?? 'it cannot be run'}`);
  if (Number(found[1]) === 1 && Number(found[2]) < oldestMinor) {
    throw new Error(
      `${go} is ${found[0]}; ${what} needs Go 1.${oldestMinor} or newer: install it and put it first in PATH`,
    );
  }
}
