import { capture } from '../base/capture.ts';
import { which } from '../base/which.ts';

/** DTM's module asks for this release of Go at least. */
const OLDEST_MINOR = 18;

export const goBinary = () => which('go');

/** @throws Error when the installed Go is too old */
export async function assertGoNewEnough(go: string): Promise<void> {
  const version = await capture(go, ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const found = /go(\d+)\.(\d+)/.exec(version ?? '');
  if (!found) throw new Error(`${go} does not say its version: ${version ?? 'it cannot be run'}`);
  if (Number(found[1]) === 1 && Number(found[2]) < OLDEST_MINOR) {
    throw new Error(
      `${go} is ${found[0]}; DTM needs Go 1.${OLDEST_MINOR} or newer: install it and put it first in PATH`,
    );
  }
}
